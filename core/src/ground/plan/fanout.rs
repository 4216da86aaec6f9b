//! Queues with several consumers in a plan.

use crate::ground::fanout::MAX_CONSUMERS;
use crate::ground::kind::Kind;

use super::Channel;

impl<'a> Channel<'a> {
    /// Lets up to `count` consumers at once, 1 to 32, receive from one queue of slots or compact: each gets every
    /// message from when it joined, see [`FanoutProducer`](crate::FanoutProducer) and
    /// [`FanoutConsumer`](crate::FanoutConsumer).
    ///
    /// The ring is one; each consumer has its own place in it. So the producer is bounded by the slowest consumer
    /// that has joined. One that is proven dead bounds nobody, but one that is stopped does: where that must not be,
    /// use a [`broadcast`](Self::broadcast).
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::{Channel, Plan, StaticRegion, TrySendError, port::NoSystem};
    /// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("log", 4).consumers(2)]).participants(2);
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mut producer = region.fanout_producer::<u32>("log").unwrap();
    /// let mut disk = region.fanout_consumer::<u32>("log", 0).unwrap();
    /// let mut screen = region.fanout_consumer::<u32>("log", 1).unwrap();
    /// (1..=4).for_each(|number| producer.try_send(&number).unwrap());
    /// assert!((1..=4).all(|number| screen.try_recv() == Ok(number)));
    /// // The disk has received nothing yet.
    /// assert_eq!(producer.try_send(&5), Err(TrySendError::Full));
    /// assert_eq!(disk.try_recv(), Ok(1));
    /// ```
    #[must_use]
    pub const fn consumers(mut self, count: u32) -> Self {
        self.consumers = Some(count);
        self.consumer_domains = &[];
        self
    }

    /// As [`consumers`](Self::consumers), one for each of these domains: consumer `i` is claimed, and taken over, in
    /// `domains[i]` alone. So firmware and processes can receive from one queue, or firmware can send to both.
    #[must_use]
    pub const fn consumers_in(mut self, domains: &'a [u32]) -> Self {
        // More than `u32` holds is too many in any case.
        let count = if domains.len() > MAX_CONSUMERS as usize { 0 } else { domains.len() as u32 };
        self.consumers = Some(count);
        self.consumer_domains = domains;
        self
    }

    /// Whether the channel can have as many consumers as it asks for.
    pub(super) const fn consumers_are_sound(&self) -> bool {
        match self.consumers {
            None => true,
            Some(count) => {
                count >= 1
                    && count <= MAX_CONSUMERS
                    && self.lanes == 1
                    && self.urgent == 0
                    && matches!(self.kind, Kind::Slots | Kind::Compact)
            }
        }
    }

    /// The domain of the consumer that part `part` of the channel describes. The ring of a queue with several
    /// consumers names one that is not the producer's, if there is one: then its values cross domains.
    pub(super) const fn consumer_domain(&self, part: u32) -> u32 {
        let domains = self.consumer_domains;
        if domains.is_empty() {
            return self.domains.1;
        }
        if part > 0 {
            return domains[part as usize - 1];
        }
        let mut i = 0;
        while i < domains.len() {
            if domains[i] != self.domains.0 {
                return domains[i];
            }
            i += 1;
        }
        domains[0]
    }
}
