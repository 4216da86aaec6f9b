//! Strait's queue in ordinary memory: values, and words in place.

use strait::LocalQueue;
use strait::local::{LocalConsumer, LocalProducer};

use crate::ends::{Halves, Link, Pop, Push, Receiver, Sender, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

type Tx<T> = LocalProducer<'static, T>;
type Rx<T> = LocalConsumer<'static, T>;

impl<const N: usize> Push<N> for Tx<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        LocalProducer::push(self, *value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        let Some(mut chunk) = self.chunk(count) else { return 0 };
        let places = chunk.slots().iter_mut().zip(seq..);
        let count = places.map(|(place, seq)| place.write(payload::value(seq))).count();
        // SAFETY: as many places were filled.
        unsafe { chunk.commit(count) };
        count
    }
}

impl<const N: usize> Pop<N> for Rx<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        LocalConsumer::pop(self)
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, each: impl FnMut(&[u64; N])) -> usize {
        let Some(chunk) = self.chunk(most) else { return 0 };
        chunk.iter().for_each(each);
        let count = chunk.len();
        chunk.release(count);
        count
    }
}

/// A queue of values.
pub struct Typed<const N: usize>(Halves<Tx<[u64; N]>, Rx<[u64; N]>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Tx<[u64; N]>, N>;
    type Rx = Values<Rx<[u64; N]>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = LocalQueue::with_capacity(job.slots()).into_halves();
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
pub struct InPlace(Halves<Tx<u64>, Rx<u64>>, usize);

/// An end, and the words of a message.
pub struct End<E>(E, usize);

impl Link for InPlace {
    type Tx = End<Tx<u64>>;
    type Rx = End<Rx<u64>>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let words = job.size / WORD;
        let (tx, rx) = LocalQueue::with_capacity(job.slots() * words).into_halves();
        Ok(Self(Halves::new(tx, rx), words))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(|end| End(end, self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(|end| End(end, self.1))
    }
}

impl Sender for End<Tx<u64>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Some(mut chunk) = self.0.chunk(self.1) else { return false };
        let places = chunk.slots();
        if places.len() < self.1 {
            return false;
        }
        payload::fill_uninit(places, seq);
        // SAFETY: as many places were filled.
        unsafe { chunk.commit(self.1) };
        true
    }
}

impl Receiver for End<Rx<u64>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Some(chunk) = self.0.chunk(self.1).filter(|chunk| chunk.len() == self.1) else { return false };
        payload::check(seq, self.1, payload::sum(&chunk));
        chunk.release(self.1);
        true
    }
}
