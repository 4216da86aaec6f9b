//! gil: values.

use std::num::NonZeroUsize;

use gil::read_guard::BatchReader;
use gil::spsc::{Receiver as Consumer, Sender as Producer, channel};

use crate::ends::{Halves, Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload;

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
