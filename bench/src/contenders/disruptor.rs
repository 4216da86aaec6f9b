//! disruptor: a ring of events, changed and read in place.

use disruptor::{
    BusySpin, EventPoller, Producer, SingleConsumerBarrier, SingleProducer, SingleProducerBarrier,
    build_single_producer,
};

use crate::ends::{Halves, Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload;

type Tx<const N: usize> = SingleProducer<[u64; N], SingleConsumerBarrier>;
type Rx<const N: usize> = EventPoller<[u64; N], SingleProducerBarrier>;

impl<const N: usize> Push<N> for Tx<N> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_publish(|event| *event = *value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        let filled = self.try_batch_publish(count, |events| {
            events.zip(seq..).for_each(|(event, seq)| *event = payload::value(seq));
        });
        if filled.is_ok() { count } else { 0 }
    }
}

impl<const N: usize> Pop<N> for Rx<N> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        let mut events = self.take(1).ok()?;
        (&mut events).next().copied()
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, each: impl FnMut(&[u64; N])) -> usize {
        let Ok(mut events) = self.take(most as u64) else { return 0 };
        let events = &mut events;
        let count = events.len();
        events.for_each(each);
        count
    }
}

/// A ring of events.
pub struct Typed<const N: usize>(Halves<Tx<N>, Rx<N>>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Tx<N>, N>;
    type Rx = Values<Rx<N>, N>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let builder = build_single_producer(job.slots(), || [0; N], BusySpin);
        let (rx, builder) = builder.new_event_poller();
        Ok(Self(Halves::new(builder.build(), rx)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}
