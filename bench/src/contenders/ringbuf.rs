//! ringbuf: values, and words in place.

use ringbuf::traits::{Consumer, Observer, Producer, Raw, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::ends::{Halves, Link, Pop, Push, Receiver, Sender, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

impl<const N: usize> Push<N> for HeapProd<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_push(*value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        self.push_iter((seq..seq + count as u64).map(payload::value))
    }
}

impl<const N: usize> Pop<N> for HeapCons<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.try_pop()
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, each: impl FnMut(&[u64; N])) -> usize {
        let (first, second) = self.as_slices();
        let count = (first.len() + second.len()).min(most);
        first.iter().chain(second).take(count).for_each(each);
        self.skip(count)
    }
}

/// A queue of values.
pub struct Typed<const N: usize>(Halves<HeapProd<[u64; N]>, HeapCons<[u64; N]>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<HeapProd<[u64; N]>, N>;
    type Rx = Values<HeapCons<[u64; N]>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = HeapRb::new(job.slots()).split();
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
pub struct InPlace(Halves<HeapProd<u64>, HeapCons<u64>>, usize);

/// An end, and the words of a message.
pub struct End<E>(E, usize);

impl Link for InPlace {
    type Tx = End<HeapProd<u64>>;
    type Rx = End<HeapCons<u64>>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let words = job.size / WORD;
        let (tx, rx) = HeapRb::new(job.slots() * words).split();
        Ok(Self(Halves::new(tx, rx), words))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(|end| End(end, self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(|end| End(end, self.1))
    }
}

impl Sender for End<HeapProd<u64>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Some(place) = self.0.vacant_slices_mut().0.get_mut(..self.1) else { return false };
        payload::fill_uninit(place, seq);
        // SAFETY: that many words are vacant, and they were filled.
        unsafe { self.0.advance_write_index(self.1) };
        true
    }
}

impl Receiver for End<HeapCons<u64>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        if self.0.occupied_len() < self.1 {
            return false;
        }
        payload::check(seq, self.1, payload::sum(&self.0.as_slices().0[..self.1]));
        self.0.skip(self.1) == self.1
    }
}
