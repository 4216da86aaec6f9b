//! crossbeam-queue: `ArrayQueue`, made for many producers and consumers.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use crate::ends::{Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;

type Queue<const N: usize> = Arc<ArrayQueue<[u64; N]>>;

impl<const N: usize> Push<N> for Queue<N> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        ArrayQueue::push(self, *value).is_ok()
    }
}

impl<const N: usize> Pop<N> for Queue<N> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        ArrayQueue::pop(self)
    }
}

/// A queue of values.
pub struct Typed<const N: usize>(Queue<N>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Queue<N>, N>;
    type Rx = Values<Queue<N>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        Ok(Self(Arc::new(ArrayQueue::new(job.slots()))))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Values::new(self.0.clone()))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Values::new(self.0.clone()))
    }
}
