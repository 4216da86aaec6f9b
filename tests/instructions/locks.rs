//! The child's calls of locks.

use strait::{Lock, Mutex, Permits, Region, Semaphore, SystemPort};

use super::paths::Outcome::{self, Done, Wrong};
use super::paths::{repeat, show};

type Table = Mutex<[u64; 4], SystemPort>;

/// Shows every path of the locks, all of them with nobody else there.
pub fn show_locks(region: &Region) {
    let mutex = &mut region.mutex::<[u64; 4]>("mutex-32").expect("the plan has it");
    let value = &mut [7; 4];
    repeat(1, lock_unlock, mutex, value);
    show("mutex-32/lock-unlock", lock_unlock, mutex, value, Done);
    show("mutex-32/lock-get-unlock", lock_get_unlock, mutex, value, Done);
    show("mutex-32/lock-update-unlock", lock_update_unlock, mutex, value, Done);
    let semaphore = &mut region.semaphore("semaphore").expect("the plan has it");
    show("semaphore/release-acquire", release_acquire, semaphore, value, Done);
    let permits = &mut region.permits("permits").expect("the plan has it");
    show("permits/acquire-release", acquire_release, permits, value, Done);
}

#[inline(never)]
extern "C" fn lock_unlock(mutex: &mut Table, _: &mut [u64; 4]) -> Outcome {
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { return Wrong };
    if guard.unlock().is_ok() { Done } else { Wrong }
}

#[inline(never)]
extern "C" fn lock_get_unlock(mutex: &mut Table, value: &mut [u64; 4]) -> Outcome {
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { return Wrong };
    *value = guard.get();
    Done
}

#[inline(never)]
extern "C" fn lock_update_unlock(mutex: &mut Table, value: &mut [u64; 4]) -> Outcome {
    let Ok(Lock::Held(mut guard)) = mutex.try_lock() else { return Wrong };
    guard.update(|v| v[0] += value[0]);
    Done
}

#[inline(never)]
extern "C" fn release_acquire(semaphore: &mut Semaphore<SystemPort>, _: &mut [u64; 4]) -> Outcome {
    match (semaphore.release(1), semaphore.try_acquire()) {
        (Ok(()), Ok(())) => Done,
        _ => Wrong,
    }
}

#[inline(never)]
extern "C" fn acquire_release(permits: &mut Permits<SystemPort>, _: &mut [u64; 4]) -> Outcome {
    let Ok(permit) = permits.try_acquire() else { return Wrong };
    if permit.release().is_ok() { Done } else { Wrong }
}
