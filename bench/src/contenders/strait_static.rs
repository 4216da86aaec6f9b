//! Strait's queue in a `static`.

use strait::{StaticConsumer, StaticProducer, StaticQueue};

use crate::ends::{Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload;

/// The capacity of all contenders for values.
const SLOTS: usize = 256;

/// The queue, which outlives its ends: the process is short.
pub struct Static<const N: usize>(&'static StaticQueue<[u64; N], SLOTS>);

impl<const N: usize> Push<N> for StaticProducer<'static, [u64; N], SLOTS> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        StaticProducer::push(self, *value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        StaticProducer::push_batch(self, (seq..seq + count as u64).map(payload::value))
    }
}

impl<const N: usize> Pop<N> for StaticConsumer<'static, [u64; N], SLOTS> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        StaticConsumer::pop(self)
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, mut each: impl FnMut(&[u64; N])) -> usize {
        StaticConsumer::pop_batch(self, most, |value| each(&value))
    }
}

impl<const N: usize> Link for Static<N> {
    type Tx = Values<StaticProducer<'static, [u64; N], SLOTS>, N>;
    type Rx = Values<StaticConsumer<'static, [u64; N], SLOTS>, N>;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        Ok(Self(Box::leak(Box::new(StaticQueue::new()))))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.take_producer().map(Values::new).ok_or_else(|| "an end was taken twice".into())
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.take_consumer().map(Values::new).ok_or_else(|| "an end was taken twice".into())
    }
}
