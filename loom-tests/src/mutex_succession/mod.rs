//! A lock whose owner dies at any step: the value is old or new, the lock comes back, and who gets it is
//! told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use core::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Death, Port, Region};
use strait_core::protocol::mutex::State;
use strait_core::{Attachment, Clock, Ident, Lock, LockError, Plan, Port as _, WaitPolicy};

use crate::models;
use crate::mutex::{LONG, PLAN, Table, WATCHED, count_up, died, held, open, whole};
use crate::search::{ALL, Search, up_to};

models! {
    "owner_dies" => owner_dies(ALL),
    "owner_dies/2_survivors" => owner_dies_before_two(ALL),
    "owner_dies_in_place" => owner_dies_in_place(ALL),
    "repairer_dies" => repairer_dies(ALL),
    "repairer_dies_in_place" => repairer_dies_in_place(ALL),
    "fourth_death" => fourth_death(ALL),
    "reinitialised_by_one" => reinitialised_by_one(up_to(3)),
    "reinitialiser_dies" => reinitialiser_dies(ALL),
    "given_up_while_another_tries" => given_up_while_another_tries(ALL),
    "woken_waiter_dies" => woken_waiter_dies(up_to(2)),
    "notifier_dies" => notifier_dies(ALL),
    "a_repair_is_a_change" => a_repair_is_a_change(up_to(3)),
    "a_successor_wakes_for_the_dead" => a_successor_wakes_for_the_dead(up_to(3)),
}

/// Room for all who die, for a place has few incarnations in a model.
const MANY: Plan<'static> = PLAN.participants(8);
const PROBE: Duration = WaitPolicy::parking().probe;

fn ident(at: &Attachment<Port>) -> Ident {
    at.port().ident().expect("it has joined")
}

fn now(at: &Attachment<Port>) -> Duration {
    Duration::from_nanos(at.port().now_ns())
}

/// How far the owner has come.
#[derive(Clone, Default)]
struct Stage(Arc<AtomicU32>);

impl Stage {
    const LOCKED: u32 = 1;
    const UNLOCKING: u32 = 2;
    const UNLOCKED: u32 = 3;

    fn reach(&self, stage: u32) {
        self.0.store(stage, Ordering::SeqCst);
    }

    /// Whether so many recoveries are right after a death here: none before the lock and after it, one
    /// with the lock; in the calls themselves either.
    fn allows(&self, recoveries: u32) -> bool {
        match self.0.load(Ordering::SeqCst) {
            Self::LOCKED => recoveries == 1,
            Self::UNLOCKED => recoveries == 0,
            _ => recoveries <= 1,
        }
    }
}

/// Locks, counts up, and unlocks.
fn turn(mutex: &mut Table, stage: &Stage) {
    let mut guard = held(mutex.lock_timeout(LONG));
    stage.reach(Stage::LOCKED);
    count_up(&mut guard);
    stage.reach(Stage::UNLOCKING);
    guard.unlock().unwrap();
    stage.reach(Stage::UNLOCKED);
}

/// Dies with the lock, without a change.
fn die_with_the_lock(at: &Attachment<Port>) {
    let mut mutex = open(at);
    let death = Death::before(3).run(at.port(), || {
        let guard = held(mutex.try_lock());
        loop {
            let _ = guard.takeovers();
        }
    });
    assert!(death.is_err());
}

/// Dies with the lock while it edits the value, half of which is 9 then.
fn die_in_place(region: &Region) {
    let at = region.join();
    let mut mutex = open(&at);
    let death = Death::before(6).run(at.port(), || {
        held(mutex.try_lock()).edit_in_place(|edit| {
            edit.write(0, &9_u32.to_le_bytes());
            loop {
                edit.write(0, &9_u32.to_le_bytes());
            }
        });
    });
    assert!(death.is_err());
}

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
fn owner_dies(search: Search) {
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
        let had_at = now(&there);
        let (died, gone_at) = owner.join().unwrap();
        assert!(had_at <= gone_at + PROBE, "had or given up at {had_at:?}, the owner gone by {gone_at:?}");
        // And whether it was had before or not, it is to be had now.
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
fn owner_dies_before_two(search: Search) {
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
                        core::mem::forget(guard);
                        Some(seen)
                    }
                    Ok(Lock::OwnerDied(recovery)) => {
                        let seen = (false, whole(recovery.get()));
                        core::mem::forget(recovery);
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

/// The owner dies anywhere while it writes where the value lies. A value that may be half written is
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
fn owner_dies_in_place(search: Search) {
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

/// Tries to lock, repairs by fives what may be half written, and looks at the value. Answers whether the
/// lock was to be had.
fn settle(mutex: &mut Table) -> bool {
    let guard = match mutex.try_lock() {
        Ok(Lock::OwnerDied(recovery)) if recovery.was_in_place() => {
            let recovery = recovery.roll_back().err().expect("there is nothing to go back to");
            recovery.repair(|value| *value = [5; 2]).unwrap()
        }
        Ok(Lock::OwnerDied(recovery)) => recovery.roll_back().ok().unwrap(),
        Ok(Lock::Held(guard)) => guard,
        Err(error) => {
            assert_eq!(error, LockError::Busy);
            return false;
        }
    };
    match whole(guard.get()) {
        0 => assert_eq!(guard.version(), 0),
        5 | 9 => assert_ne!(guard.version(), 0, "it was changed"),
        other => panic!("nobody wrote {other}"),
    }
    true
}

/// The owner is dead, and the repairer dies anywhere. The next one gets the lock and is told, until
/// somebody has repaired it.
///
/// ```text
///   repairer                              survivor
///   word: the dead -> me, 1 death         word: the dead, or the repairer; is it dead?
///   takeovers + 1                         then word: that -> me, one death more
///   value, version + 1
///   word: no deaths
///   word: me -> 0
///   (killed somewhere here)
/// ```
fn repairer_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        die_with_the_lock(&region.join());
        let at = region.join();
        let (mut dying, mut mutex) = (open(&at), open(&region.join()));
        let repairer = thread::spawn(move || {
            let _ = death.run(at.port(), || match dying.try_lock() {
                Ok(Lock::OwnerDied(recovery)) => {
                    let guard = recovery.repair(|value| *value = [whole(*value) + 1; 2]).unwrap();
                    guard.unlock().unwrap();
                }
                Ok(Lock::Held(mut guard)) => {
                    count_up(&mut guard);
                }
                Err(error) => assert_eq!(error, LockError::Busy),
            });
        });
        look_again(&mut mutex);
        repairer.join().unwrap();
        assert!(look_again(&mut mutex), "its owner is dead or done");
        let guard = held(mutex.try_lock());
        assert!(guard.takeovers() >= 1);
    });
}

/// Tries to lock, rolls back, and looks whether the value is whole and its version's. Answers whether the
/// lock was to be had.
fn look_again(mutex: &mut Table) -> bool {
    match mutex.try_lock().map(Lock::or_roll_back) {
        Ok(guard) => {
            let guard = guard.ok().expect("nothing was written in place");
            assert_eq!(whole(guard.get()), guard.version());
            true
        }
        Err(error) => {
            assert_eq!(error, LockError::Busy);
            false
        }
    }
}

/// The same, where the owner died while it wrote in place: until the repair is whole, everybody is told.
///
/// ```text
///   repairer                              survivor
///   word: the dead -> me, 1 death         word: the dead, or the repairer; is it dead?
///   value, beside; version + 1            then word: that -> me, one death more
///   in place = 0                          in place: then repair
///   word: no deaths                       else roll back: a whole value
///   word: me -> 0
///   (killed somewhere here)
/// ```
fn repairer_dies_in_place(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        die_in_place(&region);
        let at = region.join();
        let (mut dying, mut mutex) = (open(&at), open(&region.join()));
        let repairer = thread::spawn(move || {
            let _ = death.run(at.port(), || settle(&mut dying));
        });
        settle(&mut mutex);
        repairer.join().unwrap();
        assert!(settle(&mut mutex), "its owner is dead or done");
    });
}

/// An owner and two repairers died; a third repairer dies anywhere. If that was in its repair, nobody
/// gets the lock any more.
///
/// ```text
///   survivor                              survivor
///   word: the third, 3 deaths; dead? yes  word: the third, 3 deaths; dead? yes
///   word: that -> poisoned                word: that -> poisoned
/// ```
fn fourth_death(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&MANY);
        // All join before the first death, so that each has a place of its own.
        let [first, second, third, at, one, other, last] = [(); 7].map(|()| region.join());
        die_with_the_lock(&first);
        for repairer in [second, third] {
            core::mem::forget(died(open(&repairer).try_lock()));
            repairer.port().end();
        }
        let (mut dying, mut mutex, who) = (open(&at), open(&last), ident(&at));
        let _ = death.run(at.port(), || drop(died(dying.try_lock()).roll_back()));
        at.port().end();
        let is_fourth = mutex.state() == State::Held { owner: who, deaths: 3 };
        let survivors = [one, other].map(|at| {
            thread::spawn(move || {
                let mut mutex = open(&at);
                let outcome = mutex.try_lock();
                let error = outcome.as_ref().err().copied();
                core::mem::forget(outcome);
                (error, at)
            })
        });
        let errors: Vec<_> =
            survivors.map(|survivor| survivor.join().unwrap().0).into_iter().flatten().collect();
        if is_fourth {
            assert!(errors.contains(&LockError::Poisoned), "{errors:?}");
            assert_eq!(errors.len(), 2, "nobody gets it");
            assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
        } else {
            assert_eq!(errors, [LockError::Busy], "one gets it");
        }
    });
}

/// Makes the lock one that was given up unrepaired.
fn give_up(region: &Region) {
    die_with_the_lock(&region.join());
    drop(died(open(&region.join()).try_lock()));
}

/// Two re-initialise a lock that was given up: one does. Nobody sees the old value any more. Up to
/// three preemptions.
///
/// ```text
///   thread                     thread                     thread
///   word: poisoned -> me       word: poisoned -> me       try to lock
///   value, version + 1         value, version + 1
///   word: me -> 0              word: me -> 0
/// ```
fn reinitialised_by_one(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        give_up(&region);
        let threads = [1, 2].map(|number| {
            let mut mutex = open(&region.join());
            thread::spawn(move || mutex.reinitialise(&[number; 2]).is_some())
        });
        let mut mutex = open(&region.join());
        match mutex.try_lock() {
            Ok(Lock::Held(guard)) => assert_ne!(whole(guard.get()), 0),
            Ok(Lock::OwnerDied(_)) => panic!("nobody died since"),
            Err(error) => assert!([LockError::Busy, LockError::Poisoned].contains(&error)),
        }
        let done = threads.map(|thread| thread.join().unwrap());
        assert!(done[0] != done[1], "{done:?}");
        assert_eq!(whole(held(mutex.try_lock()).get()), if done[0] { 1 } else { 2 });
    });
}

/// Who re-initialises dies anywhere: the lock is given up still, or the new value is there.
///
/// ```text
///   one who re-initialises                survivor
///   word: poisoned -> me, 3 deaths        word: poisoned, or the other; is it dead?
///   value, version + 1                    then give up, or take over
///   word: no deaths
///   word: me -> 0
///   (killed somewhere here)
/// ```
fn reinitialiser_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        give_up(&region);
        let at = region.join();
        let (mut dying, mut mutex) = (open(&at), open(&region.join()));
        let thread = thread::spawn(move || {
            let _ = death.run(at.port(), || drop(dying.reinitialise(&[7; 2])));
            at.port().end();
        });
        let look = |mutex: &mut Table| match mutex.try_lock().map(Lock::or_roll_back) {
            Ok(guard) => assert_eq!(whole(guard.ok().unwrap().get()), 7),
            Err(error) => assert!([LockError::Busy, LockError::Poisoned].contains(&error), "{error:?}"),
        };
        look(&mut mutex);
        thread.join().unwrap();
        look(&mut mutex);
        if let Some(guard) = mutex.reinitialise(&[7; 2]) {
            drop(guard);
        }
        assert_eq!(whole(held(mutex.try_lock()).get()), 7);
    });
}

/// A recovery is dropped while another sleeps for the lock: it is woken, and told.
///
/// ```text
///   owner of the recovery                 another
///   word: me, 1 death -> poisoned         word: the owner -> the owner, WAITERS
///   wake                                  sleep while it is that
/// ```
fn given_up_while_another_tries(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        die_with_the_lock(&region.join());
        let (mut repairer, mut mutex) = (open(&region.join()), open(&region.join()));
        let taken = Stage::default();
        let reached = taken.clone();
        let thread = thread::spawn(move || match repairer.try_lock() {
            Ok(Lock::OwnerDied(recovery)) => {
                reached.reach(Stage::LOCKED);
                drop(recovery);
            }
            Ok(Lock::Held(_)) => panic!("nobody has repaired it"),
            Err(error) => assert!([LockError::Busy, LockError::Poisoned].contains(&error), "{error:?}"),
        });
        match mutex.lock_timeout(LONG) {
            Ok(Lock::OwnerDied(recovery)) => {
                taken.reach(Stage::LOCKED);
                drop(recovery);
            }
            Ok(Lock::Held(_)) => panic!("nobody has repaired it"),
            Err(error) => assert_eq!(error, LockError::Poisoned),
        }
        thread.join().unwrap();
        assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
        assert!(mutex.reinitialise(&[1; 2]).is_some());
    });
}

/// Two wait for the lock; one of them dies anywhere, also with the lock that it was woken for. The other
/// has it within a probe period. Up to two preemptions.
///
/// ```text
///   owner                 waiter                 waiter
///   word: me -> 0         word: 0 -> me, WAITERS word: 0 -> me, WAITERS
///   wake                  word: me -> 0          word: me -> 0
///                         (killed somewhere here)
/// ```
fn woken_waiter_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::time_passes(&PLAN);
        let (at, there) = (region.join(), region.join());
        let (mut owner, mut dying, mut mutex) = (open(&region.join()), open(&at), open(&there));
        let guard = held(owner.try_lock());
        // Both by the clock of the one who lives.
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
        let (had_at, had) = other.join().unwrap();
        let last = free_at.max(gone_at);
        assert!(had_at <= last + PROBE, "had: {had}, at {had_at:?}, free by {last:?}");
    });
}

/// Who changed the value dies anywhere, also before it wakes who waits for the change: that costs a
/// probe period.
///
/// ```text
///   owner                                 one who waits for a change
///   lock, version + 1, unlock             version: as before
///   (killed somewhere here)               parked = 1, version: as before
///   parked? then parked = 0, wake         sleep, for a probe period at most
/// ```
fn notifier_dies(search: Search) {
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

/// A repair changes the value, and wakes who waits for that. Up to three preemptions.
///
/// ```text
///   repairer                              one who waits for a change
///   word: the dead -> me, 1 death         version: as before
///   value, version + 1                    parked = 1, fence
///   word: no deaths, me -> 0              version: as before?
///   fence                                 sleep while parked = 1
///   parked? then parked = 0, wake
/// ```
fn a_repair_is_a_change(search: Search) {
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

/// An owner that dies with the lock may have changed the value and told nobody. Who takes the lock over
/// wakes for it. Up to three preemptions.
///
/// ```text
///   owner, then its successor             one who waits for a change
///   lock, version + 1                     version: as before
///   (killed somewhere here)               parked = 1, fence
///   word: the dead -> me, 1 death         version: as before?
///   word: no deaths, me -> 0              sleep while parked = 1
///   fence
///   parked? then parked = 0, wake
/// ```
fn a_successor_wakes_for_the_dead(search: Search) {
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
            core::mem::forget(guard);
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
