//! Waiting with a bound: spin, then sleep on a word, then look again.

use core::time::Duration;

use crate::ground::port::Port;
use crate::ground::sync::order::RELAXED;
use crate::ground::sync::{spin_loop, spins};
use crate::protocol::park;

use super::park_word::{ParkWord, Sleepers};
use super::wait_policy::{Deadline, WaitPolicy};

/// How an endpoint waits, with the learnt number of looks before a sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub policy: WaitPolicy,
    /// How often to look before sleeping, if that pays.
    looks: u32,
    /// How many waits in a row ended in a sleep although it looked before, or would have.
    doubt: u32,
    /// How many looks may pass without asking the clock: the dearer a look, the fewer.
    unasked: u32,
}

/// How many looks cost a multiple of what asking the clock does, if each is a load or two.
const UNASKED: u32 = 64;

/// After so many waits in a row that ended in a sleep, looking before it does not pay: the peer may have no core to
/// run on while this side looks. Enough for the looks to grow from a sixteenth of the limit to all of it, and for a
/// few tries with that.
const DOUBT: u32 = 8;

/// How often, in waits, it is tried again whether looking pays: a full try costs less than a sleep, divided by this.
const RETRY: u32 = 256;

/// Sleeps shorter than this cost more (system call plus wake) than spinning would have.
const WORTH_A_SLEEP: Duration = Duration::from_micros(50);

impl Waiting {
    pub fn new(policy: WaitPolicy) -> Self {
        Self { policy, looks: policy.spin, doubt: 0, unasked: UNASKED }
    }

    /// The same where a look may take so many loads, or copy so many words.
    pub fn for_looks_of(self, loads: u32) -> Self {
        Self { unasked: UNASKED / loads.clamp(1, UNASKED), ..self }
    }

    /// How often to look where that pays.
    fn learnt(&self) -> u32 {
        self.looks.clamp(self.policy.spin / 16, self.policy.spin)
    }

    /// How often to look before sleeping: as was learnt, and where that does not pay, half as often with each
    /// wait, down to nothing; but for a full try now and then.
    fn budget(&self) -> u32 {
        let tries = self.doubt < DOUBT || self.doubt.is_power_of_two() || self.doubt.is_multiple_of(RETRY);
        if tries { self.learnt() } else { self.learnt().checked_shr(self.doubt - DOUBT).unwrap_or(0) }
    }

    /// Something came after `looks` looks: moves the number towards twice that. What the first look found was there
    /// before, so it does not show that looking pays: where two sides share a core, one often runs while the other is
    /// between two waits.
    fn found_after(&mut self, looks: u32) {
        if looks > 1 {
            self.doubt = 0;
        }
        self.looks = self.learnt() - self.learnt() / 8 + looks.saturating_mul(2) / 8;
    }

    /// Nothing came while spinning, and this is a wait's first sleep.
    fn sleeps(&mut self) {
        self.doubt = self.doubt.saturating_add(1);
    }

    /// Nothing came while spinning, and the sleep took `how_long`.
    fn slept(&mut self, how_long: Duration) {
        self.looks = if how_long < WORTH_A_SLEEP {
            self.learnt().saturating_mul(2).saturating_add(16)
        } else {
            self.learnt() - self.learnt() / 4
        };
    }
}

/// What may find something that a look does not, and is dear: once a probe period, whether that is slept or
/// spun away.
struct Search<F> {
    search: Option<F>,
    probe: Duration,
    /// How much time is left when it is due next.
    due: Duration,
}

impl<F> Search<F> {
    /// For a wait that has nothing to search for.
    fn none() -> Self {
        Self { search: None, probe: Duration::ZERO, due: Duration::ZERO }
    }

    #[inline(always)]
    fn if_due<T>(&mut self, left: Duration) -> Option<T>
    where
        F: FnMut() -> Option<T>,
    {
        match &mut self.search {
            Some(search) if left <= self.due => {
                self.due = left.saturating_sub(self.probe);
                search()
            }
            _ => None,
        }
    }
}

/// Looks as often as is worthwhile before a sleep; returns the result, and whether the number is learnt.
/// The deadline may have passed afterwards.
fn spin<P: Port, T>(
    port: &P,
    waiting: &mut Waiting,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
    search: &mut Search<impl FnMut() -> Option<T>>,
) -> (Option<T>, bool) {
    let left = deadline.left(port);
    let timed = !left.is_zero();
    // A port without a clock has no time left from the start; for it, the spins are the bound.
    let clockless = !timed && deadline.is_never();
    let learns = timed && waiting.policy.spin > 0;
    let budget = spins(if clockless { waiting.policy.spin } else { waiting.budget() * u32::from(timed) });
    for looks in 1..=budget {
        if let Some(found) = look() {
            waiting.found_after(looks);
            return (Some(found), learns);
        }
        // Reading the clock costs as much as several looks.
        if timed && looks % waiting.unasked == 0 {
            let left = deadline.left(port);
            if left.is_zero() {
                break;
            }
            if let Some(found) = search.if_due(left) {
                return (Some(found), learns);
            }
        }
        spin_loop();
    }
    (None, learns)
}

/// Looks until there is something, or the deadline has passed; always looks at least once. What `look` does not find,
/// `search` may, if there is one. It is dear (system calls), so it is called once a probe period, and when the time is
/// up. The caller has searched just now.
pub(crate) fn wait_and_search<P: Port, T>(
    port: &P,
    park_word: Option<&ParkWord>,
    sleepers: Sleepers,
    waiting: &mut Waiting,
    deadline: Deadline,
    look: impl FnMut() -> Option<T>,
    search: Option<impl FnMut() -> Option<T>>,
) -> Option<T> {
    let probe = waiting.policy.probe;
    let due = if search.is_some() { deadline.left(port).saturating_sub(probe) } else { Duration::ZERO };
    let place = park_word.map(|word| (word, sleepers));
    wait(port, place.as_slice(), waiting, deadline, look, Search { search, probe, due })
}

/// As [`wait_and_search`], asleep on the words of all `places` at once. There are [`MOST_PLACES`] at most. `probe` is how
/// often it searches, which may be less often than it looks.
pub(crate) fn wait_at_any<P: Port, T>(
    port: &P,
    places: &[(&ParkWord, Sleepers)],
    waiting: &mut Waiting,
    deadline: Deadline,
    probe: Duration,
    look: impl FnMut() -> Option<T>,
    search: Option<impl FnMut() -> Option<T>>,
) -> Option<T> {
    let due = if search.is_some() { deadline.left(port).saturating_sub(probe) } else { Duration::ZERO };
    wait(port, places, waiting, deadline, look, Search { search, probe, due })
}

fn wait<P: Port, T>(
    port: &P,
    places: &[(&ParkWord, Sleepers)],
    waiting: &mut Waiting,
    deadline: Deadline,
    mut look: impl FnMut() -> Option<T>,
    mut search: Search<impl FnMut() -> Option<T>>,
) -> Option<T> {
    let policy = waiting.policy;
    let (found, learns) = spin(port, waiting, deadline, &mut look, &mut search);
    let mut slept = false;
    if found.is_some() {
        return found;
    }
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        let left = deadline.left(port);
        if let Some(found) = search.if_due(left) {
            return Some(found);
        }
        if left.is_zero() {
            return None;
        }
        let nap = left.min(policy.probe);
        match places {
            _ if !policy.park => spin_loop(),
            [] => port.pause(nap.min(Duration::from_millis(1))),
            places => {
                let found = sleep(port, places, nap, &mut look);
                if found.is_some() {
                    return found;
                }
                if learns && !slept {
                    waiting.sleeps();
                }
                if learns {
                    waiting.slept(left.saturating_sub(deadline.left(port)));
                }
                slept = true;
            }
        }
    }
}

/// Sets the words at `places`, looks once more, and sleeps there for up to `nap` if it found nothing.
fn sleep<P: Port, T>(
    port: &P,
    places: &[(&ParkWord, Sleepers)],
    nap: Duration,
    look: impl FnOnce() -> Option<T>,
) -> Option<T> {
    let found = match places {
        [(word, sleepers)] => {
            let asleep = word.park(*sleepers, port);
            let found = look();
            if found.is_none() {
                port.wait(word.point(), asleep, nap);
            }
            found
        }
        places => sleep_at_all(port, places, nap, look),
    };
    places.iter().for_each(|(word, sleepers)| word.done(*sleepers));
    found
}

/// The most words that a thread sleeps on at once.
pub(crate) const MOST_PLACES: usize = 32;

#[cold]
fn sleep_at_all<P: Port, T>(
    port: &P,
    places: &[(&ParkWord, Sleepers)],
    nap: Duration,
    look: impl FnOnce() -> Option<T>,
) -> Option<T> {
    let (first, _) = places.first()?;
    let mut points = [(first.point(), 0); MOST_PLACES];
    for (point, (word, sleepers)) in points.iter_mut().zip(places) {
        *point = (word.point(), word.park(*sleepers, port));
    }
    let found = look();
    if found.is_none() {
        port.wait_any(&points[..places.len().min(MOST_PLACES)], nap);
    }
    found
}

/// Outcome of one attempt to lock.
pub(crate) enum Round<T> {
    /// The attempt has succeeded or failed for good.
    Done(T),
    /// The lock is held; the word as it was seen.
    Held(u32),
    /// The word changed during the attempt.
    Again,
}

/// Tries until an attempt is decided, or the deadline has passed, sleeping on the lock's own word; always
/// tries at least once. `look` returns whether an attempt may succeed; `attempt` tries, and its argument
/// is whether this waiter has slept. What neither finds, `search` may, if there is one: it is asked once a probe period.
pub(crate) fn lock_until<P: Port, T>(
    port: &P,
    lock: &ParkWord,
    waiting: &mut Waiting,
    deadline: Deadline,
    look: impl Fn() -> bool,
    mut attempt: impl FnMut(bool) -> Round<T>,
    search: Option<impl FnMut() -> Option<T>>,
) -> Option<T> {
    let policy = waiting.policy;
    let mut search = Search { search, probe: policy.probe, due: Duration::ZERO };
    let mut is_searching = false;
    let mut learns = None;
    let mut slept = false;
    loop {
        let seen = match attempt(slept) {
            Round::Done(decided) => return Some(decided),
            Round::Held(seen) => Some(seen),
            Round::Again => None,
        };
        if learns.is_none() {
            learns = Some({
                let search = &mut Search::<fn() -> Option<()>>::none();
                spin(port, waiting, deadline, || look().then_some(()), search).1
            });
            continue;
        }
        let left = deadline.left(port);
        let found = if is_searching { search.if_due(left) } else { None };
        if found.is_some() || left.is_zero() {
            if slept {
                hand_on(port, lock, seen);
            }
            return found;
        }
        if !is_searching {
            is_searching = true;
            search.due = left.saturating_sub(policy.probe);
        }
        match seen {
            Some(seen) if policy.park => {
                let Some(asleep) = park::announce_waiter(&lock.shared(port), seen) else { continue };
                if learns == Some(true) && !slept {
                    waiting.sleeps();
                }
                slept = true;
                port.wait(lock.point(), asleep, left.min(policy.probe));
                if learns == Some(true) {
                    waiting.slept(left.saturating_sub(deadline.left(port)));
                }
            }
            Some(seen) => watch(port, lock, seen, deadline, left.saturating_sub(policy.probe)),
            None => spin_loop(),
        }
    }
}

/// The last step of one that has slept for a lock, and gives up: it may be the only one that was woken, so whoever has
/// the lock is told that others sleep, or the next one is woken to see to that.
#[cold]
fn hand_on(port: &impl Port, lock: &ParkWord, seen: Option<u32>) {
    if seen.is_none_or(|seen| park::announce_waiter(&lock.shared(port), seen).is_none()) {
        lock.wake_next(port);
    }
}

/// Spins while a lock's word is as it was `seen`, until only `until` is left: an attempt at the lock may be a
/// system call, for the port is asked whether its owner lives.
fn watch(port: &impl Port, lock: &ParkWord, seen: u32, deadline: Deadline, until: Duration) {
    // ORDERING: Relaxed; a look whether trying is worth it.
    while lock.word.load(RELAXED) == seen && deadline.left(port) > until {
        spin_loop();
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

    /// Both sides on one core: looking keeps the peer from running, and every sleep is short.
    #[test]
    fn spinning_that_does_not_pay_shrinks_to_nothing() {
        let mut waiting = waiting(1000);
        let mut wait = || {
            let looks = waiting.budget();
            waiting.sleeps();
            waiting.slept(Duration::from_micros(4));
            looks
        };
        let settling: u32 = (0..20).map(|_| wait()).sum();
        assert!(settling <= 12_000, "{settling}");
        let settled: u32 = (0..10_000).map(|_| wait()).sum();
        assert!(settled <= 5 * 10_000, "less than five looks a wait: {settled}");
    }

    /// Both sides on one busy core: whoever wakes the other is suspended at once, and finds the answer at its first look.
    #[test]
    fn what_is_there_before_the_first_look_is_no_reason_to_look_longer() {
        let mut waiting = waiting(1000);
        let mut spun = 0;
        for wait in 0..10_000 {
            let looks = waiting.budget();
            if wait % 3 == 0 {
                waiting.found_after(1);
            } else {
                spun += looks;
                waiting.sleeps();
                waiting.slept(Duration::from_micros(4));
            }
        }
        assert!(spun <= 5 * 10_000, "less than five looks a wait: {spun}");
    }

    /// The peer has got a core of its own: that is found out, and then looking is as worthwhile as ever.
    #[test]
    fn spinning_that_pays_again_grows_at_once() {
        let mut waiting = waiting(1000);
        let mut waits = 0;
        while waiting.budget() != 0 {
            waiting.sleeps();
            waiting.slept(Duration::from_micros(4));
        }
        while waiting.budget() < 20 {
            waiting.sleeps();
            waits += 1;
        }
        assert!(waits <= 256, "{waits}");
        waiting.found_after(20);
        assert!(waiting.budget() >= 500, "{}", waiting.budget());
        // What fails now and then does not count.
        for _ in 0..100 {
            waiting.sleeps();
            waiting.slept(Duration::from_millis(1));
            (0..10).for_each(|_| waiting.found_after(20));
            assert!(waiting.budget() >= 62, "{}", waiting.budget());
        }
    }

    #[test]
    fn the_dearer_a_look_the_sooner_the_clock_is_asked() {
        for (loads, unasked) in [(0, 64), (1, 64), (2, 32), (64, 1), (u32::MAX, 1)] {
            assert_eq!(waiting(10).for_looks_of(loads).unasked, unasked);
        }
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
