//! A death or a repair while others sleep, waiting for the lock or for a change.

use std::mem;
use std::time::Duration;

use strait_core::model::Region;
use strait_core::model::loom::thread;
use strait_core::{Lock, LockError, port::Clock};

use super::staging::{PROBE, Stage, die_with_the_lock, now, turn};
use crate::mutex::{LONG, PLAN, WATCHED, count_up, died, held, open, whole};
use crate::search::Search;

/// Two wait for the lock; one of them dies anywhere, also with the lock that it was woken for. The other
/// has it within a probe period. Up to two preemptions.
///
/// ```text
///   owner                 waiter                 waiter
///   word: me -> 0         word: 0 -> me, WAITERS word: 0 -> me, WAITERS
///   wake                  word: me -> 0          word: me -> 0
///                         (killed somewhere here)
/// ```
pub fn woken_waiter_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::time_passes(&PLAN);
        let (at, there) = (region.join(), region.join());
        let (mut owner, mut dying, mut mutex) = (open(&region.join()), open(&at), open(&there));
        let guard = held(owner.try_lock());
        // Both by the clock of the survivor.
        let (clock, clock_of_dead) = (there.port().clone(), there.port().clone());
        let waiter = thread::spawn(move || {
            let _ = death.run(at.port(), || turn(&mut dying, &Stage::default()));
            Duration::from_nanos(clock_of_dead.now_ns())
        });
        let other = thread::spawn(move || {
            let lock = mutex.lock_timeout(5 * PROBE);
            let had_at = now(&there);
            if let Ok(lock) = lock {
                let guard = lock.or_roll_back().ok().unwrap();
                assert_eq!(whole(guard.get()), guard.version());
                return (had_at, true);
            }
            (had_at, false)
        });
        guard.unlock().unwrap();
        let free_at = Duration::from_nanos(clock.now_ns());
        let gone_at = waiter.join().unwrap();
        let (locked_at, locked) = other.join().unwrap();
        let last = free_at.max(gone_at);
        assert!(locked_at <= last + PROBE, "locked: {locked}, at {locked_at:?}, free by {last:?}");
    });
}

/// The changer of the value dies anywhere, also before it wakes the waiters for the change: that costs a
/// probe period.
///
/// ```text
///   owner                                 a waiter for a change
///   lock, version + 1, unlock             version: as before
///   (killed somewhere here)               parked = 1, version: as before
///   parked? then parked = 0, wake         sleep, for a probe period at most
/// ```
pub fn notifier_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::time_passes(&WATCHED);
        let (at, there) = (region.join(), region.join());
        let (mut dying, mut watch) = (open(&at), open(&there));
        let clock = there.port().clone();
        let notifier = thread::spawn(move || {
            let _ = death.run(at.port(), || turn(&mut dying, &Stage::default()));
            at.port().end();
            Duration::from_nanos(clock.now_ns())
        });
        let lock = watch.wait_for_change(0, 3 * PROBE);
        let woke_at = now(&there);
        let seen = match lock.map(Lock::or_roll_back) {
            Ok(guard) => {
                let guard = guard.ok().unwrap();
                assert_eq!((whole(guard.get()), guard.version()), (1, 1));
                true
            }
            Err(error) => {
                assert_eq!(error, LockError::TimedOut);
                false
            }
        };
        let gone_at = notifier.join().unwrap();
        let changed = seen || whole(watch.try_lock().unwrap().or_roll_back().ok().unwrap().get()) == 1;
        assert!(!changed || woke_at <= gone_at + PROBE, "woke at {woke_at:?}, changed by {gone_at:?}");
    });
}

/// A repair changes the value, and wakes the waiters for a change. Up to three preemptions.
///
/// ```text
///   repairer                              a waiter for a change
///   word: the dead -> me, 1 death         version: as before
///   value, version + 1                    parked = 1, fence
///   word: no deaths, me -> 0              version: as before?
///   fence                                 sleep while parked = 1
///   parked? then parked = 0, wake
/// ```
pub fn a_repair_is_a_change(search: Search) {
    search.check(|| {
        let region = Region::new(&WATCHED);
        die_with_the_lock(&region.join());
        let (mut mutex, mut watch) = (open(&region.join()), open(&region.join()));
        let repairer = thread::spawn(move || {
            drop(died(mutex.try_lock()).repair(|value| *value = [1; 2]).unwrap());
        });
        assert_eq!(whole(held(watch.wait_for_change(0, LONG)).get()), 1);
        repairer.join().unwrap();
    });
}

/// An owner that dies with the lock may have changed the value and woken nobody. Its successor
/// wakes the waiters. Up to three preemptions.
///
/// ```text
///   owner, then its successor             a waiter for a change
///   lock, version + 1                     version: as before
///   (killed somewhere here)               parked = 1, fence
///   word: the dead -> me, 1 death         version: as before?
///   word: no deaths, me -> 0              sleep while parked = 1
///   fence
///   parked? then parked = 0, wake
/// ```
pub fn a_successor_wakes_for_the_dead(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&WATCHED);
        let at = region.join();
        let (mut dying, mut mutex, mut watch) = (open(&at), open(&region.join()), open(&region.join()));
        let waiter = thread::spawn(move || {
            let guard = watch.wait_for_change(0, LONG).unwrap().or_roll_back().ok().unwrap();
            assert_ne!(whole(guard.get()), 0);
        });
        let _ = death.run(at.port(), || {
            let mut guard = held(dying.lock_timeout(LONG));
            count_up(&mut guard);
            mem::forget(guard);
        });
        at.port().end();
        let mut guard = mutex.lock_timeout(LONG).unwrap().or_roll_back().ok().unwrap();
        if guard.version() == 0 {
            count_up(&mut guard);
        }
        drop(guard);
        waiter.join().unwrap();
    });
}
