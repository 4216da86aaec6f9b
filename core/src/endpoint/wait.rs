//! Waiting with a bound: spin, then sleep on a word, then look again.

use core::time::Duration;

use crate::ground::port::{Clock, Port, WaitPoint};
use crate::ground::sync::{WordRef, spin_loop, spins};
use crate::protocol::park;

use super::shared_word::{Means, SharedWord};

/// How an endpoint waits. Kept in the handle, never in the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// How often to look at most before anything else, with the processor's hint for spinning in
    /// between. The deadline holds meanwhile, to within 64 looks.
    ///
    /// How often it is, an endpoint learns from its waits: about twice what they took where that is
    /// less, and as little as a sixteenth where they are so long that it sleeps anyway. Without a
    /// clock it is always this much.
    pub spin: u32,
    /// Whether to sleep after that, where the channel's plan lets this side block. Otherwise it
    /// goes on spinning until the time is up: the real-time way, and it takes the core.
    pub park: bool,
    /// The longest sleep at a time (P). A sender that dies between publishing and waking, or a
    /// peer that lies, delays the sleeper by this much and no more.
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

    /// Never sleeps. Worst delay after a publication: one look.
    #[must_use]
    pub const fn polling() -> Self {
        Self { spin: 1000, park: false, probe: Duration::from_millis(20) }
    }
}

/// How a sender finds out whether somebody sleeps. Kept in the handle, never in the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WakeCheck {
    /// With a fence between the publication and the look: no sleeper is ever missed.
    #[default]
    Fenced,
    /// Without one: several nanoseconds less a message, and a sleeper who goes to sleep in the very
    /// moment of the publication may be missed. It then sleeps until the next message, or for its own
    /// [`probe`](WaitPolicy::probe) at most, and finds what was sent.
    Unfenced,
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

    pub(super) fn left(self, clock: &impl Clock) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(clock.now_ns()))
    }
}

/// The word on which one side of a channel sleeps.
#[derive(Clone)]
pub struct Bell {
    pub word: WordRef,
    offset: u32,
    instance: u64,
    /// How those change it who sleep on it and wake one another.
    means: Means,
}

impl Bell {
    pub fn new(port: &impl Port, offset: u32, instance: u64) -> Option<Self> {
        if offset == 0 {
            return None;
        }
        Some(Self { word: port.mem().word(offset)?, offset, instance, means: Means::Swap })
    }

    /// The bell of a lock, whose users change its word by these means.
    pub fn of_lock(port: &impl Port, offset: u32, instance: u64, means: Means) -> Option<Self> {
        Some(Self { means, ..Self::new(port, offset, instance)? })
    }

    /// The word, for those who change it by compare-and-swap.
    #[inline(always)]
    pub fn shared<'p, P: Port>(&self, port: &'p P) -> SharedWord<'p, P> {
        SharedWord { word: self.word.clone(), port, means: self.means }
    }

    /// Whether it is the same bell.
    pub fn is(&self, other: &Self) -> bool {
        self.offset == other.offset && self.instance == other.instance
    }

    pub fn point(&self) -> WaitPoint<'_> {
        WaitPoint { word: &self.word, instance: self.instance, offset: self.offset }
    }

    /// The sleeper's step before it looks again; answers with the word to sleep on.
    pub(crate) fn park(&self, sleepers: Sleepers, port: &impl Port) -> u32 {
        match sleepers {
            Sleepers::Many => park::enlist(&self.shared(port)),
            Sleepers::One => {
                park::prepare(&self.word);
                park::PARKED
            }
        }
    }

    /// The sender's step after publishing: wakes the sleepers, if there are any.
    #[inline(always)]
    pub fn ring(&self, check: WakeCheck, port: &impl Port) {
        if check == WakeCheck::Fenced {
            park::order_before_look();
        }
        if park::is_parked(&self.word) {
            self.wake_slow(port);
        }
    }

    /// The same where several may sleep on the word, all of one domain, or with its hardware lock.
    #[inline]
    pub fn ring_all(&self, check: WakeCheck, port: &impl Port) {
        if check == WakeCheck::Fenced {
            park::order_before_look();
        }
        if park::is_parked(&self.word) {
            self.wake_all_slow(port);
        }
    }

    #[cold]
    fn wake_all_slow(&self, port: &impl Port) {
        if park::dismiss(&self.shared(port)) {
            port.wake(self.point());
        }
    }

    #[cold]
    fn wake_slow(&self, port: &impl Port) {
        park::unpark(&self.word);
        port.wake(self.point());
    }

    /// Wakes those who sleep on a lock's own word, which was changed before.
    #[cold]
    pub fn wake_all(&self, port: &impl Port) {
        port.wake(self.point());
    }
}

/// Whether others may sleep on the same word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleepers {
    One,
    /// Many of one domain, where who wakes them does [`Bell::ring_all`].
    Many,
}

/// How an endpoint waits, and what it has learnt of how long that takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub policy: WaitPolicy,
    /// How often to look before sleeping.
    looks: u32,
}

/// A sleep that is shorter would have been better spent looking: it costs the two sides about as much.
const WORTH_A_SLEEP: Duration = Duration::from_micros(50);

impl Waiting {
    pub fn new(policy: WaitPolicy) -> Self {
        Self { policy, looks: policy.spin }
    }

    fn budget(&self) -> u32 {
        self.looks.clamp(self.policy.spin / 16, self.policy.spin)
    }

    /// Something came after so many looks: towards twice as many.
    fn found_after(&mut self, looks: u32) {
        self.looks = self.budget() - self.budget() / 8 + looks.saturating_mul(2) / 8;
    }

    /// Nothing came in time, and the sleep took so long.
    fn slept(&mut self, how_long: Duration) {
        self.looks = if how_long < WORTH_A_SLEEP {
            self.budget().saturating_mul(2).saturating_add(16)
        } else {
            self.budget() - self.budget() / 4
        };
    }
}

/// Looks as often as it is worth before sleeping; answers with what was found, and how often it was
/// to look. The time may be up when it is done.
fn spin<P: Port, T>(
    port: &P,
    waiting: &mut Waiting,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
) -> (Option<T>, u32) {
    let left = deadline.left(port);
    let timed = !left.is_zero();
    // A port without a clock has no time left from the start; for it, the spins are the bound.
    let clockless = !timed && deadline == Deadline(u64::MAX);
    let budget = spins(if clockless { waiting.policy.spin } else { waiting.budget() * u32::from(timed) });
    for looks in 1..=budget {
        if let Some(found) = look() {
            waiting.found_after(looks);
            return (Some(found), budget);
        }
        // Asking the clock costs as much as some looks.
        if timed && looks % 64 == 0 && deadline.left(port).is_zero() {
            break;
        }
        spin_loop();
    }
    (None, budget)
}

/// Looks until there is something, or the deadline has passed; always looks at least once.
pub(crate) fn wait_until<P: Port, T>(
    port: &P,
    bell: Option<&Bell>,
    sleepers: Sleepers,
    waiting: &mut Waiting,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let policy = waiting.policy;
    let (found, spun) = spin(port, waiting, deadline, &mut look);
    if found.is_some() {
        return found;
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
                let asleep = bell.park(sleepers, port);
                let found = look();
                if found.is_none() {
                    port.wait(bell.point(), asleep, nap);
                    if spun > 0 {
                        waiting.slept(left.saturating_sub(deadline.left(port)));
                    }
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

/// What one attempt at a lock came to.
pub(crate) enum Round<T> {
    /// It is decided.
    Done(T),
    /// Somebody has it, by the word that was seen.
    Held(u32),
    /// The word changed meanwhile.
    Again,
}

/// Tries until it is decided, or the deadline has passed, sleeping on the lock's own word; always tries
/// at least once. `look` says whether a try may be worth it, `attempt` tries, and is told whether this
/// one has slept.
pub(crate) fn lock_until<P: Port, T>(
    port: &P,
    lock: &Bell,
    waiting: &mut Waiting,
    deadline: Deadline,
    look: impl Fn() -> bool,
    mut attempt: impl FnMut(bool) -> Round<T>,
) -> Option<T> {
    let policy = waiting.policy;
    let mut spun = None;
    let mut slept = false;
    loop {
        let seen = match attempt(slept) {
            Round::Done(decided) => return Some(decided),
            Round::Held(seen) => Some(seen),
            Round::Again => None,
        };
        if spun.is_none() {
            spun = Some(spin(port, waiting, deadline, || look().then_some(())).1);
            continue;
        }
        let left = deadline.left(port);
        if left.is_zero() {
            return None;
        }
        match seen {
            Some(seen) if policy.park => {
                let Some(asleep) = park::ask(&lock.shared(port), seen) else { continue };
                slept = true;
                port.wait(lock.point(), asleep, left.min(policy.probe));
                if spun > Some(0) {
                    waiting.slept(left.saturating_sub(deadline.left(port)));
                }
            }
            _ => spin_loop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, WaitPolicy, Waiting};

    fn waiting(spin: u32) -> Waiting {
        Waiting::new(WaitPolicy { spin, ..WaitPolicy::parking() })
    }

    #[test]
    fn long_waits_make_it_sleep_soon_and_short_ones_spin_again() {
        let mut waiting = waiting(1600);
        assert_eq!(waiting.budget(), 1600);
        (0..20).for_each(|_| waiting.slept(Duration::from_millis(1)));
        assert_eq!(waiting.budget(), 100, "a sixteenth is always tried");
        (0..4).for_each(|_| waiting.slept(Duration::from_micros(10)));
        assert_eq!(waiting.budget(), 1600);
    }

    #[test]
    fn it_settles_at_twice_what_waits_take() {
        let mut waiting = waiting(10_000);
        (0..60).for_each(|_| waiting.found_after(700));
        assert!((1300..1500).contains(&waiting.budget()), "{}", waiting.budget());
    }

    #[test]
    fn the_bound_is_the_users() {
        for spin in [0, 1, 15, u32::MAX] {
            let mut waiting = waiting(spin);
            for step in [1, 10, u32::MAX] {
                waiting.found_after(step);
                assert!(waiting.budget() <= spin);
                waiting.slept(Duration::ZERO);
                assert!(waiting.budget() <= spin);
            }
        }
    }
}
