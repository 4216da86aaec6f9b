//! Strait's queues of values: published in the slot, or by index.

use std::time::Duration;

use strait::{Channel, SystemPort, TypedConsumer, TypedProducer, options::WaitPolicy};

use super::region::{CHANNEL, Place};
use crate::ends::{Link, Pop, Push, Receiver, Values};
use crate::error::Result;
use crate::job::Job;
use crate::payload;

impl<const N: usize> Push<N> for TypedProducer<[u64; N], SystemPort> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_send(value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        self.try_send_batch((seq..seq + count as u64).map(payload::value)).unwrap_or(0)
    }
}

impl<const N: usize> Pop<N> for TypedConsumer<[u64; N], SystemPort> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.try_recv().ok()
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, mut each: impl FnMut(&[u64; N])) -> usize {
        self.recv_batch(most, |value| each(&value)).unwrap_or(0)
    }
}

/// A way to lay a channel for values.
pub trait Kind: Sync {
    /// The channel.
    fn channel<const N: usize>(slots: u32) -> Channel<'static>;
}

/// Published in the slot.
pub struct Slots;

impl Kind for Slots {
    fn channel<const N: usize>(slots: u32) -> Channel<'static> {
        Channel::slots::<[u64; N]>(CHANNEL, slots)
    }
}

/// Published by index.
pub struct Compact;

impl Kind for Compact {
    fn channel<const N: usize>(slots: u32) -> Channel<'static> {
        Channel::compact::<[u64; N]>(CHANNEL, slots)
    }
}

/// Published in the slot, and the sender looks whether to wake somebody.
pub struct Waking;

impl Kind for Waking {
    fn channel<const N: usize>(slots: u32) -> Channel<'static> {
        Channel::slots::<[u64; N]>(CHANNEL, slots).consumer_may_block()
    }
}

/// A queue of values.
pub struct Typed<K, const N: usize> {
    place: Place,
    kind: std::marker::PhantomData<K>,
}

impl<K: Kind, const N: usize> Link for Typed<K, N> {
    type Tx = Values<TypedProducer<[u64; N], SystemPort>, N>;
    type Rx = Values<TypedConsumer<[u64; N], SystemPort>, N>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        let place = Place::new(job, number, K::channel::<N>(job.slots() as u32))?;
        Ok(Self { place, kind: std::marker::PhantomData })
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Values::new(self.place.take(|region| region.typed_producer(CHANNEL))?))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Values::new(self.place.take(|region| region.typed_consumer(CHANNEL))?))
    }
}

/// A queue of values whose receiver goes to sleep at once.
pub struct Sleeping(Typed<Waking, 1>);

/// The receiver that sleeps.
pub struct Sleeper(TypedConsumer<[u64; 1], SystemPort>);

impl Receiver for Sleeper {
    fn accept(&mut self, seq: u64) -> bool {
        self.0.recv_timeout(Duration::from_secs(1)).is_ok_and(|value| {
            payload::check(seq, 1, payload::sum(&value));
            true
        })
    }
}

impl Link for Sleeping {
    type Tx = <Typed<Waking, 1> as Link>::Tx;
    type Rx = Sleeper;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Typed::lay(job, number).map(Self)
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx()
    }

    fn rx(&self) -> Result<Sleeper> {
        let mut end = self.0.place.take(|region| region.typed_consumer(CHANNEL))?;
        end.set_wait_policy(WaitPolicy { spin: 0, ..WaitPolicy::parking() });
        Ok(Sleeper(end))
    }
}
