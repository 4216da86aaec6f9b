//! The owner dies.

use std::mem;
use std::time::Duration;

use strait_core::model::Region;
use strait_core::model::loom::thread;
use strait_core::{Lock, LockError, port::Clock};

use super::staging::{PROBE, Stage, ident, now, settle, turn};
use crate::mutex::{LONG, PLAN, count_up, held, open, whole};
use crate::search::Search;

/// The owner dies anywhere, also between its unlock and its wake; a survivor waits for the lock, and gets
/// it within a probe period of the death.
///
/// ```text
///   owner                                 survivor
///   word: 0 -> me                         word: 0 -> me? no, the owner
///   value + 1, beside                     is the owner dead?
///   version + 1                           then word: the owner -> me, 1 death
///   word: me -> 0, else clear it          else set WAITERS, sleep
///   wake
///   (killed somewhere here)
/// ```
pub fn owner_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::time_passes(&PLAN);
        let (at, there) = (region.join(), region.join());
        let (mut dying, mut mutex) = (open(&at), open(&there));
        let (who, clock, stage) = (ident(&at), there.port().clone(), Stage::default());
        let reached = stage.clone();
        let owner = thread::spawn(move || {
            let died = death.run(at.port(), || turn(&mut dying, &reached)).is_err();
            // By the survivor's clock.
            (died, Duration::from_nanos(clock.now_ns()))
        });
        let mut recoveries = 0;
        let mut timed_out = false;
        match mutex.lock_timeout(3 * PROBE) {
            Ok(Lock::Held(guard)) => assert!(whole(guard.get()) <= 1),
            Ok(Lock::OwnerDied(recovery)) => {
                recoveries += 1;
                assert_eq!((recovery.from(), recovery.was_in_place()), (who, false));
                let guard = recovery.roll_back().ok().unwrap();
                assert_eq!((whole(guard.get()), guard.takeovers()), (guard.version(), 1));
            }
            Err(error) => {
                assert_eq!(error, LockError::TimedOut);
                timed_out = true;
            }
        }
        let locked_at = now(&there);
        let (died, gone_at) = owner.join().unwrap();
        assert!(
            locked_at <= gone_at + PROBE,
            "locked or given up at {locked_at:?}, the owner gone by {gone_at:?}"
        );
        // Whether or not that attempt got the lock, a new one gets it now.
        match mutex.try_lock().unwrap() {
            Lock::Held(guard) => assert_eq!(whole(guard.get()), guard.version()),
            Lock::OwnerDied(recovery) => {
                assert!(died);
                recoveries += 1;
                assert_eq!(whole(recovery.get()), recovery.roll_back().ok().unwrap().version());
            }
        }
        assert!(stage.allows(recoveries), "{recoveries} recoveries");
        assert!(!timed_out || died);
        count_up(&mut held(mutex.try_lock()));
    });
}

/// Two find a dead owner's lock: one gets it.
///
/// ```text
///   survivor                              survivor
///   word: the owner; is it dead? yes      word: the owner; is it dead? yes
///   word: the owner -> me, 1 death        word: the owner -> me, 1 death
/// ```
pub fn owner_dies_before_two(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let at = region.join();
        let (mut dying, stage) = (open(&at), Stage::default());
        let _ = death.run(at.port(), || turn(&mut dying, &stage));
        let survivors = [region.join(), region.join()].map(|at| {
            let mut mutex = open(&at);
            thread::spawn(move || {
                let outcome = match mutex.try_lock() {
                    Ok(Lock::Held(guard)) => {
                        let seen = (true, whole(guard.get()));
                        // It is kept until both have tried.
                        mem::forget(guard);
                        Some(seen)
                    }
                    Ok(Lock::OwnerDied(recovery)) => {
                        let seen = (false, whole(recovery.get()));
                        mem::forget(recovery);
                        Some(seen)
                    }
                    Err(error) => {
                        assert_eq!(error, LockError::Busy);
                        None
                    }
                };
                (outcome, at)
            })
        });
        let outcomes = survivors.map(|survivor| survivor.join().unwrap().0);
        let winners: Vec<_> = outcomes.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        let (was_free, _) = winners[0];
        assert!(stage.allows(u32::from(!was_free)), "{winners:?}");
    });
}

/// The owner dies anywhere while it writes in place. A value that may be half written is
/// never taken for a whole one, and one that was changed has another version.
///
/// ```text
///   owner                                 survivor
///   lock                                  word: the owner; is it dead? yes
///   in place = 1                          word: the owner -> me, 1 death
///   first word, second word               in place: then repair
///   version + 2                           else roll back: a whole value, and its version
///   in place = 0
///   unlock
///   (killed somewhere here)
/// ```
pub fn owner_dies_in_place(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let at = region.join();
        let (mut dying, mut mutex) = (open(&at), open(&region.join()));
        let owner = thread::spawn(move || {
            let _ = death.run(at.port(), || {
                held(dying.lock_timeout(LONG)).edit_in_place(|edit| {
                    edit.write(0, &9_u32.to_le_bytes());
                    edit.write(4, &9_u32.to_le_bytes());
                });
            });
        });
        settle(&mut mutex);
        owner.join().unwrap();
        assert!(settle(&mut mutex), "its owner is dead or done");
    });
}
