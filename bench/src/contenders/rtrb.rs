//! rtrb: values, and words in place by chunks.

use rtrb::{Consumer, Producer, RingBuffer};

use crate::ends::{Halves, Link, Pop, Push, Receiver, Sender, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

impl<const N: usize> Push<N> for Producer<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        Producer::push(self, *value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        let space = self.slots().min(count);
        let Ok(chunk) = self.write_chunk_uninit(space) else { return 0 };
        chunk.fill_from_iter((seq..).map(payload::value))
    }
}

impl<const N: usize> Pop<N> for Consumer<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        Consumer::pop(self).ok()
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, mut each: impl FnMut(&[u64; N])) -> usize {
        let Ok(chunk) = self.read_chunk(self.slots().min(most)) else { return 0 };
        let (first, second) = chunk.as_slices();
        first.iter().chain(second).for_each(&mut each);
        let count = chunk.len();
        chunk.commit_all();
        count
    }
}

/// A queue of values.
pub struct Typed<const N: usize>(Halves<Producer<[u64; N]>, Consumer<[u64; N]>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Producer<[u64; N]>, N>;
    type Rx = Values<Consumer<[u64; N]>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = RingBuffer::new(job.slots());
        Ok(Self(Halves::new(tx, rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}

/// A ring of words, in which messages are made and read in place. They fit without a rest, so none
/// wraps around.
pub struct InPlace(Halves<Producer<u64>, Consumer<u64>>, usize);

/// An end, and the words of a message.
pub struct End<E>(E, usize);

impl Link for InPlace {
    type Tx = End<Producer<u64>>;
    type Rx = End<Consumer<u64>>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let words = job.size / WORD;
        let (tx, rx) = RingBuffer::new(job.slots() * words);
        Ok(Self(Halves::new(tx, rx), words))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(|end| End(end, self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(|end| End(end, self.1))
    }
}

impl Sender for End<Producer<u64>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Ok(mut chunk) = self.0.write_chunk_uninit(self.1) else { return false };
        payload::fill_uninit(chunk.as_mut_slices().0, seq);
        // SAFETY: the chunk does not wrap around, and all of it was filled.
        unsafe { chunk.commit_all() };
        true
    }
}

impl Receiver for End<Consumer<u64>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Ok(chunk) = self.0.read_chunk(self.1) else { return false };
        payload::check(seq, self.1, payload::sum(chunk.as_slices().0));
        chunk.commit_all();
        true
    }
}
