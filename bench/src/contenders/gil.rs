//! gil: values, and words in place.

use std::mem::MaybeUninit;
use std::num::NonZeroUsize;

use gil::read_guard::BatchReader;
use gil::spsc::{Receiver as Consumer, Sender as Producer, channel};

use crate::ends::{Halves, Link, Pop, Push, Receiver, Sender, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

fn capacity(slots: usize) -> Result<NonZeroUsize> {
    NonZeroUsize::new(slots).ok_or_else(|| "a queue without slots".into())
}

impl<const N: usize> Push<N> for Producer<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_send(*value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        let places = self.write_buffer().iter_mut().take(count).zip(seq..);
        let count = places.map(|(place, seq)| place.write(payload::value(seq))).count();
        // SAFETY: as many places were filled.
        unsafe { self.commit(count) };
        count
    }
}

impl<const N: usize> Pop<N> for Consumer<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.try_recv()
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, each: impl FnMut(&[u64; N])) -> usize {
        let values = self.read_buffer();
        let count = values.len().min(most);
        values[..count].iter().for_each(each);
        // SAFETY: as many were there.
        unsafe { self.advance(count) };
        count
    }
}

/// A queue of values.
pub struct Typed<const N: usize>(Halves<Producer<[u64; N]>, Consumer<[u64; N]>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Producer<[u64; N]>, N>;
    type Rx = Values<Consumer<[u64; N]>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = channel(capacity(job.slots())?);
        Ok(Self(Halves::new(tx, rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}

/// A ring of words, in which messages are made and read in place. A message takes a power of two of them: the
/// ring has one too, whatever was asked for, and hands out only what is left before its end.
pub struct InPlace {
    halves: Halves<Producer<u64>, Consumer<u64>>,
    words: usize,
    taken: usize,
}

/// An end, the words of a message, and how many of the ring it takes.
pub struct End<E> {
    end: E,
    words: usize,
    taken: usize,
}

impl Link for InPlace {
    type Tx = End<Producer<u64>>;
    type Rx = End<Consumer<u64>>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let words = job.size / WORD;
        let taken = words.next_power_of_two();
        let (tx, rx) = channel(capacity(job.slots() * taken)?);
        Ok(Self { halves: Halves::new(tx, rx), words, taken })
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.halves.tx().map(|end| End { end, words: self.words, taken: self.taken })
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.halves.rx().map(|end| End { end, words: self.words, taken: self.taken })
    }
}

impl Sender for End<Producer<u64>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Some(places) = self.end.write_buffer().get_mut(..self.taken) else { return false };
        let (words, rest) = places.split_at_mut(self.words);
        payload::fill_uninit(words, seq);
        rest.fill(MaybeUninit::new(0));
        // SAFETY: as many places were filled.
        unsafe { self.end.commit(self.taken) };
        true
    }
}

impl Receiver for End<Consumer<u64>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Some(places) = self.end.read_buffer().get(..self.taken) else { return false };
        let words = &places[..self.words];
        payload::check(seq, self.words, payload::sum(words));
        // SAFETY: as many were there.
        unsafe { self.end.advance(self.taken) };
        true
    }
}
