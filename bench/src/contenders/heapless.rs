//! heapless: a queue of values.

use heapless::spsc::{Consumer, Producer, Queue};

use crate::ends::{Halves, Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;

/// The capacity of all contenders for values; one place stays empty.
const SLOTS: usize = 256;

type Tx<const N: usize> = Producer<'static, [u64; N]>;
type Rx<const N: usize> = Consumer<'static, [u64; N]>;

impl<const N: usize> Push<N> for Tx<N> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.enqueue(*value).is_ok()
    }
}

impl<const N: usize> Pop<N> for Rx<N> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.dequeue()
    }
}

/// The queue, which outlives its ends: the process is short.
pub struct Typed<const N: usize>(Halves<Tx<N>, Rx<N>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Tx<N>, N>;
    type Rx = Values<Rx<N>, N>;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        let queue: &'static mut Queue<[u64; N], SLOTS> = Box::leak(Box::default());
        let (tx, rx) = queue.split();
        Ok(Self(Halves::new(tx, rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}
