//! Mutex, semaphore and permits, by one thread that plays all parts.

use std::time::Duration;

use crate::common::{Member, Region, TestPort};
use strait_core::protocol::mutex::State;
use strait_core::{
    Channel, Guard, Lock, LockError, Mutex, Plan, Recovery, SemaphoreError, UnlockError, Violation,
};

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<[u64; 4]>("gains"),
    Channel::mutex::<[u64; 4]>("watched").consumer_may_block(),
    Channel::semaphore("ticks", 1, 3),
    Channel::permits("cranes", 3),
])
.participants(8);

type Table = Mutex<[u64; 4], TestPort>;

fn gains(member: &Member) -> Table {
    member.mutex("gains").unwrap()
}

fn held<'m>(lock: Result<Lock<'m, [u64; 4], TestPort>, LockError>) -> Guard<'m, [u64; 4], TestPort> {
    match lock.unwrap() {
        Lock::Held(guard) => guard,
        Lock::OwnerDied(_) => panic!("nobody died"),
    }
}

fn died<'m>(lock: Result<Lock<'m, [u64; 4], TestPort>, LockError>) -> Recovery<'m, [u64; 4], TestPort> {
    match lock.unwrap() {
        Lock::Held(_) => panic!("the owner is dead"),
        Lock::OwnerDied(recovery) => recovery,
    }
}

#[test]
fn one_at_a_time_and_what_was_set_is_there() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut a, mut b) = (gains(&a), gains(&b));
    let mut guard = held(a.try_lock());
    assert_eq!(guard.get(), [0; 4]);
    guard.set(&[1; 4]);
    guard.update(|v| v[0] = 7);
    assert_eq!(b.try_lock().err(), Some(LockError::Busy));
    assert_eq!(b.lock_timeout(Duration::ZERO).err(), Some(LockError::TimedOut));
    assert_eq!(guard.version(), 2);
    guard.unlock().unwrap();
    assert_eq!(held(b.try_lock()).get(), [7, 1, 1, 1]);
    assert_eq!(b.state(), State::Free);
}

#[test]
fn a_relock_is_a_deadlock_and_not_a_hang() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let (mut one, mut other) = (gains(&member), gains(&member));
    let guard = held(one.try_lock());
    assert_eq!(other.try_lock().err(), Some(LockError::Deadlock));
    assert_eq!(other.lock_timeout(Duration::from_secs(60)).err(), Some(LockError::Deadlock));
    drop(guard);
    drop(held(other.try_lock()));
}

#[test]
fn a_dead_owners_lock_is_rolled_back_to_what_it_had_set() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let who = a.ident();
    let mut dying = gains(&a);
    let mut guard = held(dying.try_lock());
    guard.set(&[5; 4]);
    std::mem::forget(guard);
    let mut mutex = gains(&b);
    assert_eq!(mutex.try_lock().err(), Some(LockError::Busy), "it lives");
    a.die(dying);
    let recovery = died(mutex.try_lock());
    assert_eq!((recovery.from(), recovery.was_in_place(), recovery.get()), (who, false, [5; 4]));
    let guard = recovery.roll_back().ok().unwrap();
    assert_eq!((guard.get(), guard.takeovers()), ([5; 4], 1));
    drop(guard);
    drop(held(mutex.try_lock()));
}

#[test]
fn what_was_written_in_place_must_be_repaired() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut dying = gains(&a);
    let mut guard = held(dying.try_lock());
    let half = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        guard.edit_in_place(|edit| {
            assert_eq!(edit.write(8, &[0xFF; 100]), 24);
            panic!("in the middle");
        });
    }));
    assert!(half.is_err());
    std::mem::forget(guard);
    a.die(dying);
    let mut mutex = gains(&b);
    let recovery = died(mutex.try_lock());
    assert!(recovery.was_in_place());
    let recovery = recovery.roll_back().err().unwrap();
    let guard = recovery.repair(|v| v[1..].fill(9)).unwrap();
    assert_eq!(guard.get(), [0, 9, 9, 9]);
    drop(guard);
    assert_eq!(mutex.state(), State::Free);
}

#[test]
fn a_panic_in_an_edit_gives_the_lock_up() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut mutex = gains(&member);
    let mut guard = held(mutex.try_lock());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        guard.edit_in_place(|_| panic!("in the middle"));
    }));
    assert!(result.is_err());
    assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
    drop(mutex.reinitialise(&[3; 4]).unwrap());
    assert!(mutex.reinitialise(&[4; 4]).is_none(), "it is not poisoned any more");
    assert_eq!(held(mutex.try_lock()).get(), [3; 4]);
}

#[test]
fn a_panic_under_the_lock_gives_it_up() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut mutex = gains(&member);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut guard = held(mutex.try_lock());
        guard.set(&[1; 4]);
        panic!("before the value that belongs to it");
    }));
    assert!(result.is_err());
    assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
    assert_eq!(mutex.reinitialise(&[2; 4]).unwrap().get(), [2; 4]);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_ne!(held(mutex.try_lock()).get(), [2; 4], "while it only looks");
    }));
    assert!(result.is_err());
    assert_eq!(held(mutex.try_lock()).get(), [2; 4], "one that has changed nothing unlocks");

    /// Takes the lock for something of its own when it is dropped.
    struct Cleaner<'m>(&'m mut strait_core::Mutex<[u64; 4], crate::common::TestPort>);
    impl Drop for Cleaner<'_> {
        fn drop(&mut self) {
            let mut guard = held(self.0.try_lock());
            guard.set(&[3; 4]);
            guard.unlock().unwrap();
        }
    }
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _cleaner = Cleaner(&mut mutex);
        panic!("while it is whole");
    }));
    assert!(result.is_err());
    assert_eq!(held(mutex.try_lock()).get(), [3; 4], "one that is unlocked by its call stays whole");
}

#[test]
fn a_dropped_recovery_and_a_fourth_death_poison() {
    let region = Region::new(&PLAN);
    let survivor = region.join();
    let mut mutex = gains(&survivor);
    for deaths in 0..4 {
        let member = region.join();
        let mut dying = gains(&member);
        match dying.try_lock().unwrap() {
            Lock::Held(guard) => std::mem::forget(guard),
            Lock::OwnerDied(recovery) => {
                assert!(deaths > 0);
                std::mem::forget(recovery);
            }
        }
        member.die(dying);
    }
    assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
    mutex.reinitialise(&[1; 4]).unwrap().unlock().unwrap();
    let member = region.join();
    let mut dying = gains(&member);
    std::mem::forget(held(dying.try_lock()));
    member.die(dying);
    drop(died(mutex.try_lock()));
    assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
}

#[test]
fn a_dispossessed_owner_harms_nobody() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut one, mut other) = (gains(&a), gains(&b));
    let guard = held(one.try_lock());
    region.poke(region.entry("gains").block_c, 0);
    let theirs = held(other.try_lock());
    assert_eq!(guard.unlock(), Err(UnlockError::NotOwner));
    assert_eq!(one.try_lock().err(), Some(LockError::Busy));
    theirs.unlock().unwrap();
}

#[test]
fn lies_are_errors() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut mutex = gains(&member);
    let word = region.entry("gains").block_c;
    for lie in [1 << 31, 1 << 29, 1 << 9, 511, 2 << 29 | 5] {
        region.poke(word, lie);
        assert_eq!(mutex.try_lock().err(), Some(LockError::Fault(Violation::State)), "{lie:x}");
        assert!(mutex.reinitialise(&[0; 4]).is_none());
    }
    // An owner that never was is dead; one that lives keeps the lock, whatever else stands beside it.
    let other = region.join();
    for (forged, busy) in [(511 | 7 << 9, false), (other.ident().word() | 3 << 29, true)] {
        region.poke(word, forged);
        assert_eq!(mutex.try_lock().err() == Some(LockError::Busy), busy, "{forged:x}");
    }
}

#[test]
fn a_change_is_seen_by_its_version() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut a, mut b): (Table, Table) = (a.mutex("watched").unwrap(), b.mutex("watched").unwrap());
    assert_eq!(b.wait_for_change(0, Duration::ZERO).err(), Some(LockError::TimedOut));
    held(a.try_lock()).set(&[2; 4]);
    let guard = held(b.wait_for_change(0, Duration::from_secs(60)));
    assert_eq!((guard.get(), guard.version()), ([2; 4], 1));
}

#[test]
fn a_semaphore_counts_between_its_limits() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut a, mut b) = (a.semaphore("ticks").unwrap(), b.semaphore("ticks").unwrap());
    assert_eq!((a.try_acquire(), b.try_acquire()), (Ok(()), Err(SemaphoreError::Empty)));
    assert_eq!(b.acquire_timeout(Duration::ZERO), Err(SemaphoreError::TimedOut));
    a.release(3).unwrap();
    assert_eq!((a.release(1), a.count()), (Err(SemaphoreError::Overflow), 3));
    (0..3).for_each(|_| b.try_acquire().unwrap());
    region.poke(region.entry("ticks").block_c, 77);
    assert_eq!(a.try_acquire(), Err(SemaphoreError::Fault(Violation::State)));
    assert_eq!(a.release(1), Err(SemaphoreError::Fault(Violation::State)));
}

#[test]
fn a_dead_holders_permit_comes_back_once() {
    let region = Region::new(&PLAN);
    let (a, b, c) = (region.join(), region.join(), region.join());
    let (mut one, mut two) = (a.permits("cranes").unwrap(), a.permits("cranes").unwrap());
    let (mut mine, mut yours) = (b.permits("cranes").unwrap(), c.permits("cranes").unwrap());
    assert_eq!(mine.capacity(), 3);
    let who = a.ident();
    std::mem::forget(one.try_acquire().unwrap());
    std::mem::forget(two.try_acquire().unwrap());
    let third = mine.try_acquire().unwrap();
    assert!(yours.try_acquire().is_err());
    a.die((one, two));
    let back = yours.try_acquire().unwrap();
    assert_eq!(back.from(), Some(who));
    drop(third);
    let mut others = [b.permits("cranes").unwrap(), b.permits("cranes").unwrap()];
    let [x, y] = &mut others;
    let (x, y) = (x.try_acquire().unwrap(), y.try_acquire().unwrap());
    assert_eq!([x.from(), y.from()].iter().flatten().count(), 1, "the other one, once");
    assert_eq!(mine.try_acquire().err(), Some(SemaphoreError::Empty));
    back.release().unwrap();
}

#[test]
fn the_priority_is_raised_while_the_lock_is_held_and_no_longer() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let raised = || region.counts.raised.load(std::sync::atomic::Ordering::Relaxed);
    let (mut one, mut other) = (gains(&a), gains(&b));
    let guard = held(one.try_lock());
    assert_eq!(raised(), 1);
    assert_eq!(other.lock_timeout(Duration::ZERO).err(), Some(LockError::TimedOut));
    assert_eq!(raised(), 1, "not by who waits");
    guard.unlock().unwrap();
    assert_eq!(raised(), 0);
    let dying = region.join();
    let mut mutex = gains(&dying);
    std::mem::forget(held(mutex.try_lock()));
    dying.die(mutex);
    // The dead lower nothing; on a real port their priority went with them.
    region.counts.raised.store(0, std::sync::atomic::Ordering::Relaxed);
    let recovery = died(one.try_lock());
    assert_eq!(raised(), 1);
    drop(recovery);
    assert_eq!(raised(), 0, "the lock was given up");
    assert!(one.try_lock().is_err());
    assert_eq!(raised(), 0);
    let guard = one.reinitialise(&[1; 4]).unwrap();
    assert_eq!(raised(), 1);
    drop(guard);
    assert_eq!(raised(), 0);
}
