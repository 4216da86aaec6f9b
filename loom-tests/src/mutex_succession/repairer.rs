//! A successor dies while it repairs a dead owner's value.

use std::mem;
use strait_core::model::Region;
use strait_core::model::loom::thread;
use strait_core::protocol::mutex::State;
use strait_core::{Lock, LockError, Plan};

use super::staging::{die_in_place, die_with_the_lock, ident, settle};
use crate::mutex::{PLAN, Table, count_up, died, held, open, whole};
use crate::search::Search;

/// Room for all that die, because a place has few incarnations in a model.
const MANY: Plan<'static> = PLAN.participants(8);

/// The owner is dead, and the repairer dies anywhere. The next one gets the lock and is notified, until
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
pub fn repairer_dies(search: Search) {
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

/// Tries to lock, rolls back, and looks whether the value is whole and its version's. Returns whether it
/// got the lock.
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

/// The same, where the owner died while it wrote in place: until the repair is whole, every owner is notified.
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
pub fn repairer_dies_in_place(search: Search) {
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
pub fn fourth_death(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&MANY);
        // All join before the first death, so that each has a place of its own.
        let [first, second, third, at, one, other, last] = [(); 7].map(|()| region.join());
        die_with_the_lock(&first);
        for repairer in [second, third] {
            mem::forget(died(open(&repairer).try_lock()));
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
                mem::forget(outcome);
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
