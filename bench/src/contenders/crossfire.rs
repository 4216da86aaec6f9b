//! crossfire: a channel of values whose halves can sleep; here they poll.

use crossfire::spsc::{self, Array};
use crossfire::{Rx, Tx};

use crate::ends::{Halves, Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;

type Producer<const N: usize> = Tx<Array<[u64; N]>>;
type Consumer<const N: usize> = Rx<Array<[u64; N]>>;

impl<const N: usize> Push<N> for Producer<N> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_send(*value).is_ok()
    }
}

impl<const N: usize> Pop<N> for Consumer<N> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.try_recv().ok()
    }
}

/// A channel of values.
pub struct Typed<const N: usize>(Halves<Producer<N>, Consumer<N>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Producer<N>, N>;
    type Rx = Values<Consumer<N>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = spsc::bounded_blocking(job.slots());
        Ok(Self(Halves::new(tx, rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}
