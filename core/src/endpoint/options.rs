//! How a consumer receives.

/// When a received message is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Delivery {
    /// With the consumer's next call, or its end. If the consumer dies while it works on a message,
    /// its successor gets that message again.
    #[default]
    AtLeastOnce,
    /// Before the receive returns. If the consumer dies while it works on a message, the message
    /// is lost; it never comes twice.
    AtMostOnce,
}

/// How a consumer receives. Kept in its handle, never in the region.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, ConsumerOptions, Delivery, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.typed_producer::<u32>("steps").unwrap();
/// // A step of a motor must not be made twice, so a value is released before it is returned.
/// let options = ConsumerOptions::new().delivery(Delivery::AtMostOnce);
/// let mut consumer = region.typed_consumer_with::<u32>("steps", options).unwrap();
/// producer.try_send(&1).unwrap();
/// assert_eq!(consumer.try_recv(), Ok(1));
/// assert_eq!(producer.len(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerOptions {
    delivery: Delivery,
    release_every: u32,
}

impl ConsumerOptions {
    /// At least once; a successor may see up to 64 released messages again.
    #[must_use]
    pub const fn new() -> Self {
        Self { delivery: Delivery::AtLeastOnce, release_every: 64 }
    }

    /// Sets when a received message is released.
    #[must_use]
    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Publishes the head at least every `messages` releases (B): that is how many released messages a
    /// successor may see again. 1 means none, and costs the producer a cache line a message. The maximum
    /// is a quarter of the ring, whatever is set.
    #[must_use]
    pub const fn release_every(mut self, messages: u32) -> Self {
        self.release_every = if messages == 0 { 1 } else { messages };
        self
    }

    pub(crate) fn release_limit(&self) -> u32 {
        if self.delivery == Delivery::AtMostOnce { 1 } else { self.release_every }
    }

    /// Whether a message stays unreleased until the next call.
    pub(crate) fn holds_last(&self) -> bool {
        self.delivery == Delivery::AtLeastOnce
    }
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self::new()
    }
}
