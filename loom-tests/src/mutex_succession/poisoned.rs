//! A lock that was given up unrepaired, until somebody re-initialises it.

use strait_core::model::Region;
use strait_core::model::loom::thread;
use strait_core::{Lock, LockError};

use super::staging::{Stage, die_with_the_lock};
use crate::mutex::{LONG, PLAN, Table, died, held, open, whole};
use crate::search::Search;

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
pub fn reinitialised_by_one(search: Search) {
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

/// The re-initialising owner dies anywhere: the lock is given up still, or the new value is there.
///
/// ```text
///   re-initialising owner                 survivor
///   word: poisoned -> me, 3 deaths        word: poisoned, or the other; is it dead?
///   value, version + 1                    then give up, or take over
///   word: no deaths
///   word: me -> 0
///   (killed somewhere here)
/// ```
pub fn reinitialiser_dies(search: Search) {
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

/// A recovery is dropped while another sleeps for the lock: it is woken, and notified.
///
/// ```text
///   owner of the recovery                 another
///   word: me, 1 death -> poisoned         word: the owner -> the owner, WAITERS
///   wake                                  sleep while it is that
/// ```
pub fn given_up_while_another_tries(search: Search) {
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
