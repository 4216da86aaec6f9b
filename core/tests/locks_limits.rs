//! Limits of locks and of their users: counts, kinds, domains, time-outs, and versions that wrap.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::common::world::Hook;
use crate::common::{Member, Region};
use strait_core::ground::entry::{MAX_PERMITS, MAX_RING, at};
use strait_core::ground::plan::Fault;
use strait_core::protocol::mutex::State;
use strait_core::protocol::{park, semaphore};
use strait_core::{
    Channel, ChannelError, Deadline, Lock, LockError, Plan, Recovery, SemaphoreError, UnlockError,
    WaitPolicy, format::participants,
};

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<u32>("gains").consumer_may_block(),
    Channel::semaphore("ticks", 2, 5),
    Channel::semaphore("signals", 0, MAX_RING),
    Channel::permits("cranes", 3),
])
.participants(8);

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// Much shorter than `LONG`.
const SOON: Duration = Duration::from_secs(20);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

fn asleep() -> WaitPolicy {
    WaitPolicy { spin: 0, probe: LONG, ..WaitPolicy::parking() }
}

#[test]
fn counts_need_not_be_powers_of_two_but_have_limits() {
    let fault = |channel| Plan::new(&[channel]).try_size().err().map(|error| error.fault);
    for count in [1, 3, 5, 1000, MAX_PERMITS] {
        assert_eq!(fault(Channel::permits("p", count)), None, "{count}");
        assert_eq!(fault(Channel::semaphore("s", count, count)), None, "{count}");
    }
    assert_eq!(fault(Channel::permits("p", 0)), Some(Fault::Count));
    assert_eq!(fault(Channel::permits("p", MAX_PERMITS + 1)), Some(Fault::Count));
    assert_eq!(fault(Channel::semaphore("s", 0, 0)), Some(Fault::Count), "it could never be released");
    assert_eq!(fault(Channel::semaphore("s", 4, 3)), Some(Fault::Count), "more than the most");
    assert_eq!(fault(Channel::semaphore("s", 0, MAX_RING)), None);
    assert_eq!(fault(Channel::semaphore("s", 0, MAX_RING + 1)), Some(Fault::Count));
    assert_eq!(fault(Channel::mutex::<[u8; 100_000]>("m")), None);
}

/// A participant of a domain, whose place in the table the test makes one of that domain.
fn join_domain(region: &Region, slot: u32, domain: u32) -> Member {
    let place = region.look().header().participant(slot).unwrap();
    region.poke(place + participants::at::DOMAIN, domain);
    let member = region.join_domain(domain);
    assert_eq!(member.ident().place(), slot);
    member
}

#[test]
fn who_shares_no_domain_shares_no_lock() {
    let channels = [
        Channel::mutex::<u32>("m").domains(0, 1),
        Channel::semaphore("s", 1, 1).domains(0, 1),
        Channel::permits("p", 1).domains(0, 1),
    ];
    let region = Region::new(&Plan::new(&channels));
    for (slot, domain) in [(1, 0), (2, 1), (3, 2)] {
        let member = join_domain(&region, slot, domain);
        assert_eq!(member.mutex::<u32>("m").err(), Some(ChannelError::NoCommonAtomics));
        assert_eq!(member.semaphore("s").err(), Some(ChannelError::NoCommonAtomics));
        assert_eq!(member.permits("p").err(), Some(ChannelError::NoCommonAtomics));
    }
    let channels = channels.map(|channel| channel.domains(7, 7));
    let region = Region::new(&Plan::new(&channels));
    let (at_home, abroad) = (join_domain(&region, 1, 7), join_domain(&region, 2, 0));
    assert!(at_home.mutex::<u32>("m").unwrap().try_lock().is_ok());
    assert!(at_home.semaphore("s").is_ok() && at_home.permits("p").is_ok());
    let elsewhere = Some(ChannelError::Domain { planned: 7 });
    assert_eq!(abroad.mutex::<u32>("m").err(), elsewhere);
    assert_eq!(abroad.semaphore("s").err(), elsewhere);
    assert_eq!(abroad.permits("p").err(), elsewhere);
}

#[test]
fn who_only_reads_has_no_lock_and_kinds_are_not_mixed() {
    let (region, a, _) = setup();
    let look = region.look();
    assert_eq!(look.mutex::<u32>("gains").err(), Some(ChannelError::ReadOnly));
    assert_eq!(look.semaphore("ticks").err(), Some(ChannelError::ReadOnly));
    assert_eq!(look.permits("cranes").err(), Some(ChannelError::ReadOnly));
    assert_eq!(a.mutex::<u64>("gains").err(), Some(ChannelError::Type));
    assert!(
        a.semaphore("gains").is_err() && a.permits("ticks").is_err() && a.mutex::<u32>("cranes").is_err()
    );
    assert!(a.typed_producer::<u32>("gains").is_err() && a.latest_reader::<u32>("gains").is_err());
    assert!(a.mutex::<u32>("nothing of the kind").is_err());
}

/// Each handle remembers the last word that it saw, and tries its next change with that.
#[test]
fn a_semaphore_that_others_have_changed_is_looked_at_again() {
    let region = Region::new(&Plan::new(&[Channel::semaphore("s", 0, 2)]).line(4).participants(2));
    let [mut one, mut other] = [region.join(), region.join()].map(|at| at.semaphore("s").unwrap());
    assert_eq!(one.try_acquire(), Err(SemaphoreError::Empty));
    one.release(2).unwrap();
    other.try_acquire().unwrap();
    other.try_acquire().unwrap();
    assert_eq!(one.try_acquire(), Err(SemaphoreError::Empty), "it was 2 when this one left it");
    other.release(2).unwrap();
    assert_eq!(one.release(1), Err(SemaphoreError::Overflow), "it was 0");
    one.try_acquire().unwrap();
    other.release(1).unwrap();
    assert_eq!((one.count(), other.release(1)), (2, Err(SemaphoreError::Overflow)));
}

#[test]
fn a_semaphore_starts_at_its_initial_count_and_goes_to_its_most() {
    let (region, a, b) = setup();
    let (mut one, mut other) = (a.semaphore("ticks").unwrap(), b.semaphore("ticks").unwrap());
    assert_eq!((one.count(), other.count()), (2, 2));
    assert_eq!(one.release(4), Err(SemaphoreError::Overflow));
    assert_eq!(one.release(u32::MAX), Err(SemaphoreError::Overflow), "nor does the sum wrap");
    assert_eq!((one.release(0), one.release(3), other.count()), (Ok(()), Ok(()), 5));
    assert_eq!([(); 6].map(|()| other.try_acquire().is_ok()), [true, true, true, true, true, false]);
    // Below its initial count the word is below 0.
    assert_eq!(region.peek(region.entry("ticks").block_c + at::OWNER), 2_u32.wrapping_neg() & !(1 << 31));
    let mut signals = a.semaphore("signals").unwrap();
    assert_eq!((signals.release(MAX_RING), signals.release(1)), (Ok(()), Err(SemaphoreError::Overflow)));
    assert_eq!((signals.try_acquire(), signals.count()), (Ok(()), MAX_RING - 1));
    assert_eq!(region.counts.wakes.load(Relaxed), 0, "nobody slept");
}

#[test]
fn a_release_wakes_all_who_sleep() {
    let (region, a, b) = setup();
    let mut tx = a.semaphore("signals").unwrap();
    std::thread::scope(|scope| {
        let sleepers = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut rx = b.semaphore("signals").unwrap();
                rx.set_wait_policy(asleep());
                let started = Instant::now();
                (rx.acquire_timeout(LONG), started.elapsed())
            })
        });
        while region.counts.sleeps.load(Relaxed) < 3 {
            std::thread::yield_now();
        }
        tx.release(2).unwrap();
        tx.release(1).unwrap();
        for sleeper in sleepers {
            let (got, took) = sleeper.join().unwrap();
            assert!(got == Ok(()) && took < SOON, "{got:?} after {took:?}");
        }
    });
    assert_eq!(tx.try_acquire(), Err(SemaphoreError::Empty));
}

/// Whoever gets the lock of one who died and can not repair its value gives it up; those who sleep learn of that at once.
#[test]
fn a_recovery_that_is_dropped_wakes_all_who_sleep() {
    let (region, a, b) = setup();
    let dying = region.join();
    let mut owner = dying.mutex::<u32>("gains").unwrap();
    std::mem::forget(owner.try_lock().unwrap());
    dying.die(owner);
    let mut mutex = a.mutex::<u32>("gains").unwrap();
    let Lock::OwnerDied(recovery) = mutex.try_lock().unwrap() else { panic!("it died") };
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let mut mutex = b.mutex::<u32>("gains").unwrap();
            mutex.set_wait_policy(asleep());
            let started = Instant::now();
            (mutex.lock_timeout(LONG).err(), started.elapsed())
        });
        while region.counts.sleeps.load(Relaxed) < 1 {
            std::thread::yield_now();
        }
        drop(recovery);
        let (got, took) = sleeper.join().unwrap();
        assert!(got == Some(LockError::Poisoned) && took < SOON, "{got:?} after {took:?}");
    });
}

/// Looks go on until there is something to get, and no sleep is needed then.
#[test]
fn what_is_given_back_while_somebody_looks_needs_no_sleep() {
    let policy = WaitPolicy { spin: 1000, ..WaitPolicy::parking() };
    // At the fourth look at the clock, which is after 128 looks at the word.
    let later = |region: &Region, hook: Hook| {
        region.faults.storm.store(true, Relaxed);
        region.hooks.on_clock.lock().unwrap().extend([None, None, None, Some(hook)]);
    };

    let (region, a, _) = setup();
    let entry = region.entry("gains");
    let word = entry.block_c + at::OWNER;
    let mut mutex = a.mutex::<u32>("gains").unwrap();
    mutex.set_wait_policy(policy);
    let other = region.clone();
    region.poke(word, region.join().ident().word());
    later(&region, Box::new(move || other.poke(word, 0)));
    drop(mutex.lock_timeout(LONG).unwrap());
    assert_eq!(region.counts.sleeps.load(Relaxed), 0);

    let (region, a, b) = setup();
    let (mut rx, mut tx) = (a.semaphore("signals").unwrap(), b.semaphore("signals").unwrap());
    rx.set_wait_policy(policy);
    later(&region, Box::new(move || tx.release(1).unwrap()));
    assert_eq!(rx.acquire_timeout(LONG), Ok(()));
    assert_eq!(region.counts.sleeps.load(Relaxed), 0);
}

/// Whoever gets the lock after a sleep wakes nobody: the others are woken when it gives the lock back.
#[test]
fn who_gets_the_lock_wakes_nobody() {
    let (region, a, b) = setup();
    let mut owner = a.mutex::<u32>("gains").unwrap();
    let guard = owner.try_lock().unwrap();
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let mut mutex = b.mutex::<u32>("gains").unwrap();
            mutex.set_wait_policy(asleep());
            let guard = mutex.lock_timeout(LONG).unwrap();
            let wakes = region.counts.wakes.load(Relaxed);
            drop(guard);
            wakes
        });
        while region.counts.sleeps.load(Relaxed) < 1 {
            std::thread::yield_now();
        }
        drop(guard);
        assert_eq!(sleeper.join().unwrap(), 1, "the owner's");
    });
}

#[test]
fn time_outs_come_after_their_time_and_a_free_lock_needs_none() {
    let (_region, a, b) = setup();
    let mut mutex = a.mutex::<u32>("gains").unwrap();
    drop(mutex.lock_timeout(Duration::ZERO).unwrap());
    drop(mutex.lock_until(Deadline::after(a.port(), Duration::ZERO)).unwrap());
    let mut ticks = a.semaphore("ticks").unwrap();
    assert_eq!([(); 2].map(|()| ticks.acquire_timeout(Duration::ZERO)), [Ok(()); 2]);
    let mut owner = b.mutex::<u32>("gains").unwrap();
    let _guard = owner.try_lock().unwrap();
    let mut handles = [(); 3].map(|()| b.permits("cranes").unwrap());
    let _permits = handles.each_mut().map(|handle| handle.try_acquire().unwrap());
    let mut cranes = a.permits("cranes").unwrap();
    let short = Duration::from_millis(40);
    for policy in [WaitPolicy::parking(), asleep(), WaitPolicy::polling()] {
        mutex.set_wait_policy(policy);
        ticks.set_wait_policy(policy);
        cranes.set_wait_policy(policy);
        let started = Instant::now();
        assert_eq!(mutex.lock_timeout(short).err(), Some(LockError::TimedOut));
        assert_eq!(mutex.wait_for_change(0, short).err(), Some(LockError::TimedOut));
        assert_eq!(ticks.acquire_timeout(short), Err(SemaphoreError::TimedOut));
        assert_eq!(cranes.acquire_timeout(short).err(), Some(SemaphoreError::TimedOut));
        let took = started.elapsed();
        assert!(took >= 4 * short && took < SOON, "{took:?}");
    }
    assert_eq!(mutex.lock_timeout(Duration::ZERO).err(), Some(LockError::TimedOut));
}

#[test]
fn versions_wrap_and_count_repairs() {
    let (region, a, b) = setup();
    let entry = region.entry("gains");
    region.poke(entry.block_a + at::VERSION, u32::MAX);
    let mut mutex = a.mutex::<u32>("gains").unwrap();
    let mut guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
    guard.set(&5);
    assert_eq!((guard.get(), guard.version()), (5, 0));
    guard.edit_in_place(|edit| assert_eq!(edit.write(0, &6_u32.to_le_bytes()), 4));
    assert_eq!((guard.get(), guard.version()), (6, 2));
    // Dead in the middle of an edit, and the next owner marks the value as whole as it is.
    std::mem::forget(guard);
    region.poke(entry.block_a + at::IN_PLACE, 1);
    a.die(mutex);
    let mut mutex = b.mutex::<u32>("gains").unwrap();
    let Lock::OwnerDied(recovery) = mutex.try_lock().unwrap() else { panic!("it died") };
    let guard = recovery.mark_consistent().unwrap();
    assert_eq!((guard.get(), guard.version()), (6, 4), "what was edited was a change");
    drop(guard);
    assert_eq!(region.peek(entry.block_a + at::IN_PLACE), 0);
}

#[test]
fn a_recovery_that_is_not_ours_any_more_says_so() {
    let (region, a, b) = setup();
    let mut dying = a.mutex::<u32>("gains").unwrap();
    std::mem::forget(dying.try_lock().unwrap());
    a.die(dying);
    let mut mutex = b.mutex::<u32>("gains").unwrap();
    let word = region.entry("gains").block_c + at::OWNER;
    let mut taken = |how: fn(Recovery<'_, u32, crate::common::TestPort>) -> Option<UnlockError>| {
        let seen = region.peek(word);
        let Lock::OwnerDied(recovery) = mutex.try_lock().unwrap() else { panic!("it died") };
        region.poke(word, 0);
        assert_eq!(how(recovery), Some(UnlockError::NotOwner));
        assert_eq!(region.peek(word), 0, "and harms nobody");
        region.poke(word, seen);
    };
    taken(|recovery| recovery.mark_consistent().err());
    taken(|recovery| recovery.repair(|value| *value = 1).err());
    taken(|recovery| recovery.roll_back().err().map(|_| UnlockError::NotOwner));
    assert!(matches!(mutex.state(), State::Held { deaths: 0, .. }));
}

#[test]
fn a_semaphore_forgets_its_sleepers_unless_somebody_came_meanwhile() {
    let region = Region::new(&PLAN);
    let offset = region.entry("ticks").block_c + at::OWNER;
    let word = region.mem().word(offset).unwrap();
    for (seen, now, forgets) in [
        (park::WAITERS | 3, park::WAITERS | 3, true),
        (park::WAITERS, park::WAITERS, true),
        (park::WAITERS | 3, park::WAITERS | 2, false),
        (park::WAITERS | 3, 3, false),
        (3, 3, true),
    ] {
        region.poke(offset, now);
        assert_eq!(semaphore::nobody_waits(word, seen), forgets);
        assert_eq!(region.peek(offset), if forgets { now & !park::WAITERS } else { now });
    }
}
