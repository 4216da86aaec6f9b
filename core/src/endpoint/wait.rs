//! Waiting with a bound: spin, then sleep on a word, then look again.

use core::time::Duration;

use crate::ground::port::{Clock, Port, WaitPoint};
use crate::ground::sync::{WordRef, spin_loop, spins};
use crate::protocol::park;

/// How an endpoint waits. Kept in the handle, never in the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// How often to look before anything else, with the processor's hint for spinning in between.
    /// The deadline holds meanwhile, to within 64 looks.
    pub spin: u32,
    /// Whether to sleep after that, where the channel's plan lets this side block. Otherwise it
    /// goes on spinning until the time is up: the real-time way, and it takes the core.
    pub park: bool,
    /// The longest sleep at a time (P). A sender that dies between publishing and waking, or a
    /// peer that lies, delays the sleeper by this much and no more.
    pub probe: Duration,
}

impl WaitPolicy {
    /// Spins 200 times, then sleeps, 20 ms at a time at most. Worst delay after a publication: one
    /// wake by the port (tens of microseconds on Linux), or 20 ms if the sender died or is late.
    #[must_use]
    pub const fn parking() -> Self {
        Self { spin: 200, park: true, probe: Duration::from_millis(20) }
    }

    /// Never sleeps. Worst delay after a publication: one look.
    #[must_use]
    pub const fn polling() -> Self {
        Self { spin: 200, park: false, probe: Duration::from_millis(20) }
    }
}

impl Default for WaitPolicy {
    fn default() -> Self {
        Self::parking()
    }
}

/// A moment of a port's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn after(clock: &impl Clock, timeout: Duration) -> Self {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self(clock.now_ns().saturating_add(nanos))
    }

    fn left(self, clock: &impl Clock) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(clock.now_ns()))
    }
}

/// The word on which one side of a channel sleeps.
#[derive(Clone)]
pub struct Bell {
    pub word: WordRef,
    pub offset: u32,
    pub instance: u64,
}

impl Bell {
    pub fn new(port: &impl Port, offset: u32, instance: u64) -> Option<Self> {
        if offset == 0 {
            return None;
        }
        Some(Self { word: port.mem().word(offset)?, offset, instance })
    }

    fn point(&self) -> WaitPoint<'_> {
        WaitPoint { word: &self.word, instance: self.instance, offset: self.offset }
    }

    /// The sender's step after publishing: wakes the sleepers, if there are any.
    #[inline]
    pub fn ring(&self, port: &impl Port) {
        if park::must_wake(&self.word) {
            self.wake_slow(port);
        }
    }

    #[cold]
    fn wake_slow(&self, port: &impl Port) {
        port.wake(self.point());
    }
}

/// Whether others may sleep on the same word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleepers {
    One,
    Many,
}

/// Looks until there is something, or the deadline has passed; always looks at least once.
pub(crate) fn wait_until<P: Port, T>(
    port: &P,
    bell: Option<&Bell>,
    sleepers: Sleepers,
    policy: WaitPolicy,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    // A port without a clock has no time left from the start; for it, the spins are the bound.
    let timed = !deadline.left(port).is_zero();
    for looks in 1..=spins(policy.spin) {
        if let Some(found) = look() {
            return Some(found);
        }
        // Asking the clock costs as much as some looks.
        if timed && looks % 64 == 0 && deadline.left(port).is_zero() {
            return None;
        }
        spin_loop();
    }
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        let left = deadline.left(port);
        if left.is_zero() {
            return None;
        }
        let nap = left.min(policy.probe);
        match bell {
            _ if !policy.park => spin_loop(),
            None => port.pause(nap.min(Duration::from_millis(1))),
            Some(bell) => {
                park::prepare(&bell.word);
                let found = look();
                if found.is_none() {
                    port.wait(bell.point(), park::PARKED, nap);
                }
                if sleepers == Sleepers::One {
                    park::done(&bell.word);
                }
                if found.is_some() {
                    return found;
                }
            }
        }
    }
}
