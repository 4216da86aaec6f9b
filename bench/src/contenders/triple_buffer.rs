//! triple_buffer: a latest value for one reader.

use triple_buffer::{Input, Output};

use crate::drive::latest::Look;
use crate::ends::{Halves, Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;

impl<const N: usize> Push<N> for Input<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.write(*value);
        true
    }
}

impl<const N: usize> Pop<N> for Output<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.update().then(|| *self.output_buffer())
    }
}

impl<const N: usize> Look<N> for Output<[u64; N]> {
    #[inline(always)]
    fn look(&mut self) -> Option<[u64; N]> {
        Some(*self.read())
    }
}

/// The latest value of `N` words.
pub struct Latest<const N: usize>(Halves<Input<[u64; N]>, Output<[u64; N]>>);

impl<const N: usize> Link for Latest<N> {
    type Tx = Values<Input<[u64; N]>, N>;
    type Rx = Values<Output<[u64; N]>, N>;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        // Message 0, which nobody waits for and which sums up as any other.
        let (tx, rx) = triple_buffer::triple_buffer(&crate::payload::value(0));
        Ok(Self(Halves::new(tx, rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}
