//! How a consumer of lanes receives.

use crate::endpoint::options::ConsumerOptions;

/// How a consumer of lanes receives. Kept in its handle, never in the region.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, LanesOptions, Plan, StaticRegion, TypedLanesConsumer, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4).producers(2)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producers = [0, 1].map(|lane| region.typed_lane_producer::<u32>("steps", lane).unwrap());
/// producers[0].try_send_batch([1, 2]).unwrap();
/// producers[1].try_send_batch([3, 4]).unwrap();
///
/// let options = LanesOptions::new().burst(1);
/// let mut steps: TypedLanesConsumer<u32, _, 2> = region.typed_lanes_consumer_with("steps", options).unwrap();
/// assert_eq!([(); 4].map(|()| steps.try_recv().unwrap().message), [1, 3, 2, 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanesOptions {
    each: ConsumerOptions,
    burst: u32,
}

impl LanesOptions {
    /// At least once; a successor may see up to 64 released messages of each lane again. Up to 16 messages in a
    /// row come from one lane.
    #[must_use]
    pub const fn new() -> Self {
        Self { each: ConsumerOptions::new(), burst: 16 }
    }

    /// Sets how each lane is received from; of calls it has no meaning.
    #[must_use]
    pub const fn each_lane(mut self, options: ConsumerOptions) -> Self {
        self.each = options;
        self
    }

    /// Receives up to `messages` in a row from one lane before the next gets its turn; 0 counts as 1. A
    /// message waits at most for so many of each other lane, and for those of urgent lanes.
    #[must_use]
    pub const fn burst(mut self, messages: u32) -> Self {
        self.burst = if messages == 0 { 1 } else { messages };
        self
    }

    pub(in crate::endpoint) fn consumer(&self) -> ConsumerOptions {
        self.each
    }

    pub(in crate::endpoint) fn limit(&self) -> u32 {
        self.burst
    }
}

impl Default for LanesOptions {
    fn default() -> Self {
        Self::new()
    }
}
