//! kanal: a channel of values for many senders and receivers, whose ends can sleep; here they poll.

use kanal::{Receiver, Sender, bounded};

use crate::ends::{Halves, Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;

impl<const N: usize> Push<N> for Sender<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_send(*value) == Ok(true)
    }
}

impl<const N: usize> Pop<N> for Receiver<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.try_recv().ok().flatten()
    }
}

/// A channel of values.
pub struct Typed<const N: usize>(Halves<Sender<[u64; N]>, Receiver<[u64; N]>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Sender<[u64; N]>, N>;
    type Rx = Values<Receiver<[u64; N]>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = bounded(job.slots());
        Ok(Self(Halves::new(tx, rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}
