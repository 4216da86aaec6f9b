//! Settings of how endpoints wait and wake.

use core::time::Duration;

use crate::ground::port::Clock;

/// How an endpoint waits. Kept in the handle, never in the region.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use strait_core::{Channel, Plan, RecvError, StaticRegion, WaitPolicy, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut consumer = region.typed_consumer::<u32>("steps").unwrap();
/// // A control loop on a core of its own never sleeps.
/// consumer.set_wait_policy(WaitPolicy::polling());
/// assert_eq!(consumer.recv_timeout(Duration::from_micros(50)), Err(RecvError::TimedOut));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// How often to look at most before anything else, with the processor's hint for spinning in
    /// between. The deadline holds meanwhile, to within 64 looks, or to
    /// within one where a look is dear: many permits, a latest value of many bytes.
    ///
    /// Within this limit an endpoint learns the number from its waits: about twice as many looks as they
    /// took, down to a sixteenth of the limit if it mostly sleeps anyway. Where looking does not pay at all, it
    /// stops: after eight waits in a row that ended in a sleep it looks half as often with each, down to not at
    /// all, and tries in full every 256th time. Both sides on one core are such a case: the peer cannot run while
    /// this one looks. Without a clock the number is always the limit.
    pub spin: u32,
    /// Whether to sleep after that, where the channel's plan lets this side block. Otherwise it
    /// goes on spinning until the time is up: the real-time way, and it takes the core.
    pub park: bool,
    /// The longest sleep at a time (P). A sender that dies between publishing and waking, or a peer that
    /// misbehaves, delays the sleeper by at most this.
    pub probe: Duration,
}

impl WaitPolicy {
    /// Spins up to 1000 times (about as long as a wake takes), then sleeps, 20 ms at a time at most.
    /// Worst delay after a publication: one wake by the port (tens of microseconds on Linux), or
    /// 20 ms if the sender died, or does not fence its [`WakeCheck`].
    #[must_use]
    pub const fn parking() -> Self {
        Self { spin: 1000, park: true, probe: Duration::from_millis(20) }
    }

    /// Never sleeps. Worst delay after a publication: one look. For a peer that runs on another processor: one that
    /// needs this one gets no turn while this thread polls, under a real-time policy never.
    #[must_use]
    pub const fn polling() -> Self {
        Self { spin: 1000, park: false, probe: Duration::from_millis(20) }
    }
}

impl Default for WaitPolicy {
    fn default() -> Self {
        Self::parking()
    }
}

/// How a sender checks whether somebody sleeps. Kept in the handle, never in the region.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, WakeCheck, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4).consumer_may_block()]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.typed_producer::<u32>("steps").unwrap();
/// // The consumer can bear to be woken a probe period late.
/// producer.set_wake_check(WakeCheck::Unfenced);
/// assert_eq!(producer.try_send(&1), Ok(()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WakeCheck {
    /// With a fence between the publication and the look: no sleeper is ever missed.
    #[default]
    Fenced,
    /// Without one: several nanoseconds less a message, but a sleeper that goes to sleep at the very
    /// moment of the publication may be missed. It then sleeps until the next message, or for its own
    /// [`probe`](WaitPolicy::probe) at most, and then finds the message.
    Unfenced,
}

/// A moment of a port's monotonic clock.
///
/// # Examples
///
/// One deadline bounds several waits together:
///
/// ```
/// use core::time::Duration;
/// use strait_core::{Channel, Deadline, Plan, RecvError, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// region.typed_producer::<u32>("steps").unwrap().try_send(&1).unwrap();
/// let mut consumer = region.typed_consumer::<u32>("steps").unwrap();
/// let deadline = Deadline::after(region.port(), Duration::from_millis(1));
/// assert_eq!(consumer.recv_until(deadline), Ok(1));
/// assert_eq!(consumer.recv_until(deadline), Err(RecvError::TimedOut));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    /// The moment `timeout` from now.
    #[must_use]
    pub fn after(clock: &impl Clock, timeout: Duration) -> Self {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self(clock.now_ns().saturating_add(nanos))
    }

    /// The moment when the port's clock shows this many nanoseconds. With `u64::MAX` it never passes.
    #[must_use]
    pub const fn at_ns(now_ns: u64) -> Self {
        Self(now_ns)
    }

    /// This moment, or the one `period` from now if that is sooner.
    pub(super) fn within(self, clock: &impl Clock, period: Duration) -> Self {
        Self(self.0.min(Self::after(clock, period).0))
    }

    /// Whether it never passes: so does every deadline of a port without a clock.
    pub(super) fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    pub(crate) fn left(self, clock: &impl Clock) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(clock.now_ns()))
    }
}
