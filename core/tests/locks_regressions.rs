//! Bugs of other locks between processes, each by its number: what they did wrong, and that it is not so
//! here.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::ground::sync::Word;
use strait_core::port::RELAXED;
use strait_core::protocol::mutex::{Attempt, State, attempt, unlock};
use strait_core::protocol::park;
use strait_core::{
    Channel, Lock, LockError, Mutex, Plan, Violation, WaitPolicy,
    port::{Ident, Probe},
};

type Table = Mutex<[u64; 4], TestPort>;

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<[u64; 4]>("gains"),
    Channel::mutex::<[u64; 4]>("watched").consumer_may_block(),
    Channel::permits("cranes", 1),
])
.participants(8);

const WAITERS: u32 = 1 << 31;
/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// Much shorter than `LONG`.
const SOON: Duration = Duration::from_secs(20);

/// Sleeps at once, so long at a time.
fn asleep(probe: Duration) -> WaitPolicy {
    WaitPolicy { spin: 0, probe, ..WaitPolicy::parking() }
}

fn gains(member: &Member) -> Table {
    member.mutex("gains").unwrap()
}

/// Dies with the lock.
fn die_with_it(member: Member) {
    let mut mutex = gains(&member);
    std::mem::forget(mutex.try_lock().unwrap());
    member.die(mutex);
}

/// Waits until somebody has gone to sleep since there were `slept` sleeps.
fn until_asleep(region: &Region, slept: u32) {
    while region.counts.sleeps.load(Relaxed) == slept {
        std::thread::yield_now();
    }
}

/// glibc BZ 20973: A waiter that had slept, and then took the lock over from a dead owner, dropped the
/// bit for another sleeper, which was never woken.
#[test]
fn glibc_20973_a_takeover_keeps_the_waiters_bit() {
    let (dead, heir) = (Ident::new(1, 1).unwrap(), Ident::new(2, 1).unwrap());
    for (seen, slept, wakes) in [
        (dead.word() | WAITERS, false, true),
        (dead.word() | WAITERS, true, true),
        // The dead owner locked after the bit was cleared; a waiter that has slept must set it again.
        (dead.word(), true, true),
        (dead.word(), false, false),
    ] {
        let word = Word::new(seen);
        assert_eq!(attempt(&word, heir, slept, |_| Probe::Dead), Attempt::OwnerDied { from: dead });
        assert_eq!(unlock(&word, heir), Ok(wakes), "{seen:x}, slept: {slept}");
    }
}

/// The same with threads: the sleeper looks for itself only after a minute, so it must be woken.
#[test]
fn glibc_20973_who_takes_over_wakes_the_others() {
    let region = Region::new(&PLAN);
    let (a, b, c) = (region.join(), region.join(), region.join());
    let mut dying = gains(&a);
    std::mem::forget(dying.try_lock().unwrap());
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let mut mutex = gains(&c);
            mutex.set_wait_policy(asleep(LONG));
            let started = Instant::now();
            assert!(matches!(mutex.lock_timeout(LONG), Ok(Lock::Held(_))));
            started.elapsed()
        });
        until_asleep(&region, 0);
        a.die(dying);
        let mut heir = gains(&b);
        let Ok(Lock::OwnerDied(recovery)) = heir.try_lock() else { panic!("it died") };
        drop(recovery.roll_back().ok().unwrap());
        assert!(sleeper.join().unwrap() < SOON);
    });
}

/// glibc BZ 20985: Unlocking stored "nobody, with waiters" first and 0 then; one killed in between left a
/// word for which everybody waited. Here it is one store to 0, and that word is an error, not a wait.
#[test]
fn glibc_20985_there_is_no_owner_nobody_with_waiters() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let word = region.entry("gains").block_c + at::OWNER;
    let (mut one, mut other) = (gains(&a), gains(&b));
    let guard = one.try_lock().unwrap();
    region.poke(word, region.peek(word) | WAITERS);
    let seen = region.clone();
    *region.hooks.on_wake.lock().unwrap() = Some(Box::new(move || assert_eq!(seen.peek(word), 0)));
    drop(guard);
    assert_eq!(region.counts.wakes.load(Relaxed), 1);
    region.poke(word, WAITERS);
    let started = Instant::now();
    assert_eq!(other.lock_timeout(LONG).err(), Some(LockError::Fault(Violation::State)));
    assert!(started.elapsed() < SOON);
}

/// glibc BZ 14485, musl da8d0fc: After the store that unlocks, the unlocker (and, if it died just then, the
/// kernel by its list of robust locks) still wrote to the lock, whose memory another thread may have used
/// for something else by then. Here nobody keeps a list, and nothing is written after that store.
#[test]
fn glibc_14485_musl_da8d0fc_nothing_is_written_after_the_unlock() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let word = region.entry("gains").block_c + at::OWNER;
    let mut mutex = gains(&member);
    let Lock::Held(mut guard) = mutex.try_lock().unwrap() else { panic!("nobody died") };
    guard.set(&[1; 4]);
    // Somebody sleeps, so that the unlock has something left to do.
    region.poke(word, region.peek(word) | WAITERS);
    let reused = vec![0xAA; region.mem().len() as usize];
    let (other, bytes) = (region.clone(), reused.clone());
    *region.hooks.on_wake.lock().unwrap() = Some(Box::new(move || other.write(0, &bytes)));
    guard.unlock().unwrap();
    assert_eq!(region.counts.wakes.load(Relaxed), 1);
    member.die(mutex);
    assert!(region.bytes() == reused, "what was reused is untouched");
}

/// musl fffc5cd: A new thread passed for the owner of a lock, because it was given the number of a thread
/// that had ended with it. Here an owner is a place and its incarnation, and no two are the same.
#[test]
fn musl_fffc5cd_who_gets_a_dead_owners_number_is_not_the_owner() {
    let region = Region::new(&PLAN.participants(1));
    die_with_it(region.join());
    let next = region.join();
    assert_eq!(next.ident().place(), 1, "the same place");
    let mut mutex = gains(&next);
    let word = region.mem().word(region.entry("gains").block_c + at::OWNER).unwrap();
    assert!(unlock(word, next.ident()).is_err());
    assert!(matches!(mutex.try_lock(), Ok(Lock::OwnerDied(_))), "neither Deadlock nor Held");
}

/// Boost.Interprocess #226 and #69: A process died while it waited on a condition; the next one to notify
/// waited for the dead one to confirm, for ever. Here a waker never waits for a sleeper.
#[test]
fn boost_interprocess_226_69_a_dead_sleeper_holds_nobody_up() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let entry = region.entry("watched");
    let mut mutex: Table = b.mutex("watched").unwrap();
    // It slept on both words, the lock's and the change's, when it died.
    a.die(());
    let started = Instant::now();
    for number in 1..=1000 {
        let Lock::Held(mut guard) = mutex.lock_timeout(LONG).unwrap() else { panic!("no owner died") };
        region.poke(entry.wait_b, park::PARKED);
        region.poke(entry.block_c + at::OWNER, region.peek(entry.block_c + at::OWNER) | WAITERS);
        guard.set(&[number; 4]);
        guard.unlock().unwrap();
    }
    assert!(started.elapsed() < SOON);
    assert_eq!(mutex.state(), State::Free);
}

/// Boost.Interprocess #163: The consumer of a queue was killed with the queue's internal mutex, and
/// everybody else stood still in it, those as well that only asked how much was in the queue. Here it is
/// one error, within a probe period, and the data are what was last set.
#[test]
fn boost_interprocess_163_the_lock_of_a_killed_consumer_is_had_again() {
    let region = Region::new(&PLAN);
    let (consumer, producer) = (region.join(), region.join());
    let mut mutex = gains(&producer);
    {
        let mut dying = gains(&consumer);
        let Lock::Held(mut guard) = dying.try_lock().unwrap() else { panic!("nobody died") };
        guard.update(|queue| queue[0] = 7);
        std::mem::forget(guard);
        consumer.die(dying);
    }
    mutex.set_wait_policy(asleep(Duration::from_millis(20)));
    let started = Instant::now();
    let guard = mutex.lock_timeout(LONG).unwrap().or_roll_back().ok().unwrap();
    assert!(started.elapsed() < SOON);
    assert_eq!(guard.get()[0], 7);
}

/// Boost.Interprocess #187: A lock whose owner had died was always reported as not recoverable, even if
/// it could have been repaired. Here the two cases are two results.
#[test]
fn boost_interprocess_187_owner_died_is_not_poisoned() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut mutex = gains(&member);
    die_with_it(region.join());
    let Ok(Lock::OwnerDied(recovery)) = mutex.try_lock() else { panic!("it can be repaired") };
    drop(recovery.roll_back().ok().unwrap());
    assert!(matches!(mutex.try_lock(), Ok(Lock::Held(_))), "and it was");
    die_with_it(region.join());
    drop(mutex.try_lock());
    assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned), "nobody repaired it");
}

/// HAMi-core #260: A process was killed after it had cleared the owner beside a semaphore and before it
/// had posted that: a lock taken without an owner, which no check of an owner could free. Here the owner
/// and the lock are one word.
#[test]
fn hami_core_260_killed_before_the_post() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    // Killed after the store that unlocks, and before the wake.
    region.faults.deaf.store(true, Relaxed);
    let (mut dying, mut permit) = (gains(&a), a.permits("cranes").unwrap());
    let held = (dying.try_lock().unwrap(), permit.try_acquire().unwrap());
    std::thread::scope(|scope| {
        let waiters = scope.spawn(|| {
            let (mut mutex, mut permits) = (gains(&b), b.permits("cranes").unwrap());
            mutex.set_wait_policy(asleep(Duration::from_millis(20)));
            permits.set_wait_policy(asleep(Duration::from_millis(20)));
            let started = Instant::now();
            assert!(matches!(mutex.lock_timeout(LONG), Ok(Lock::Held(_))));
            assert_eq!(permits.acquire_timeout(LONG).unwrap().from(), None);
            started.elapsed()
        });
        until_asleep(&region, 0);
        drop(held);
        a.die(());
        assert!(waiters.join().unwrap() < SOON);
    });
}

/// Chronicle-Queue #629: A waiter unlocked by force after fifteen seconds; the owner had only been slow,
/// and the two of them overwrote each other's data. Here no number of time-outs takes a lock from one who
/// lives.
#[test]
fn chronicle_queue_629_time_outs_force_nothing() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut slow, mut hasty) = (gains(&a), gains(&b));
    let Lock::Held(mut guard) = slow.try_lock().unwrap() else { panic!("nobody died") };
    for _ in 0..50 {
        let lock = hasty.lock_timeout(Duration::from_millis(1));
        assert_eq!(lock.err(), Some(LockError::TimedOut));
    }
    let word = region.mem().word(region.entry("gains").block_c + at::OWNER).unwrap();
    assert_eq!(word.load(RELAXED) & !WAITERS, a.ident().word());
    guard.set(&[1; 4]);
    assert_eq!((guard.takeovers(), guard.unlock()), (0, Ok(())));
}
