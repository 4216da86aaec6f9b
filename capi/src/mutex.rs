//! A value under a lock that survives its owner, copied in and out.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;

use strait_core::{Guard, Lock, LockError, Mutex, Recovery, format::ValueType};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_mutex_t, strait_region_t, strait_status};

pub(crate) type Bytes = Mutex<[u8], CPort>;

/// A mutex, and its lock while it is held. The lock borrows the mutex, which so is reached through the lock
/// alone while there is one (U1).
pub(crate) struct Held {
    lock: Option<Lock<'static, [u8], CPort>>,
    mutex: Bytes,
    size: u32,
}

impl Handle for strait_mutex_t {
    type Object = Held;
    const KIND: Kind = Kind::Mutex;
}

/// The lock of an open mutex, held or not.
///
/// # Safety
///
/// As for [`handle::with`].
unsafe fn lock<'l>(
    mutex: *mut strait_mutex_t,
) -> Result<&'l mut Option<Lock<'static, [u8], CPort>>, strait_status> {
    let held = handle::place(mutex)?;
    // SAFETY: an object is there (H1), and the caller's alone. The mutex beside the lock is not touched.
    Ok(unsafe { &mut (*held.as_ptr()).lock })
}

/// Locks by `locking`, which the lock then borrows.
///
/// # Safety
///
/// As for [`handle::with`].
pub(crate) unsafe fn lock_by(
    mutex: *mut strait_mutex_t,
    locking: impl FnOnce(&'static mut Bytes) -> Result<Lock<'static, [u8], CPort>, strait_status>,
) -> Result<(), strait_status> {
    // SAFETY: the caller's promise.
    let lock = unsafe { lock(mutex)? };
    if lock.is_some() {
        return Err(strait_status::WrongState);
    }
    let held = handle::place(mutex)?;
    // SAFETY: an object is there (H1), which does not move until it is closed, and then the lock goes first;
    // and nobody else borrows the mutex (U1).
    let borrowed = unsafe { &mut (*held.as_ptr()).mutex };
    let locked = lock.insert(locking(borrowed)?);
    match locked {
        Lock::Held(_) => Ok(()),
        Lock::OwnerDied(_) => Err(strait_status::OwnerDied),
    }
}

/// Uses the guard of a mutex that is locked, with whole data.
///
/// # Safety
///
/// As for [`handle::with`].
unsafe fn with_guard(
    mutex: *mut strait_mutex_t,
    using: impl FnOnce(&mut Guard<'static, [u8], CPort>) -> Result<(), strait_status>,
) -> strait_status {
    // SAFETY: the caller's promise.
    let used = unsafe { lock(mutex) }.and_then(|lock| match lock {
        Some(Lock::Held(guard)) => using(guard),
        _ => Err(strait_status::WrongState),
    });
    crate::status::status(used)
}

/// Ends a recovery by `end`.
///
/// # Safety
///
/// As for [`handle::with`].
unsafe fn recover_by(
    mutex: *mut strait_mutex_t,
    end: impl FnOnce(
        Recovery<'static, [u8], CPort>,
    )
        -> Result<Lock<'static, [u8], CPort>, (Option<Lock<'static, [u8], CPort>>, strait_status)>,
) -> strait_status {
    // SAFETY: the caller's promise.
    let ended = unsafe { lock(mutex) }.and_then(|lock| match lock.take() {
        Some(Lock::OwnerDied(recovery)) => match end(recovery) {
            Ok(whole) => {
                *lock = Some(whole);
                Ok(())
            }
            Err((left, status)) => {
                *lock = left;
                Err(status)
            }
        },
        other => {
            *lock = other;
            Err(strait_status::WrongState)
        }
    });
    crate::status::status(ended)
}

/// Opens a handle on the mutex `name`, whose type has this hash and size. Nothing is claimed.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_open(
    mutex: *mut strait_mutex_t,
    region: *const strait_region_t,
    name: *const c_char,
    type_hash: u64,
    size: u32,
) -> strait_status {
    let value = ValueType { hash: type_hash, size };
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let mutex = unsafe { attached(region, |region| Ok(region.mutex_of(name, value)?))? };
        Ok(Held { lock: None, mutex, size })
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(mutex, make) }
}

/// Locks, if nobody alive has the lock. `STRAIT_STATUS_OWNER_DIED` locks too: the last owner died with the
/// lock, and the value must be marked consistent or rolled back before it is used; an unlock before that
/// gives the lock up. Never waits.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_try_lock(mutex: *mut strait_mutex_t) -> strait_status {
    let locking = |mutex: &'static mut Bytes| mutex.try_lock().map_err(LockError::into);
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { lock_by(mutex, locking) })
}

/// Locks, waiting up to `timeout_ns` for the lock; otherwise as `strait_mutex_try_lock`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_lock_timeout(
    mutex: *mut strait_mutex_t,
    timeout_ns: u64,
) -> strait_status {
    let locking =
        |mutex: &'static mut Bytes| mutex.lock_timeout(arg::timeout(timeout_ns)).map_err(LockError::into);
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { lock_by(mutex, locking) })
}

/// Copies the value of a mutex that is locked (or awaits repair) into `value`, of `size` bytes.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_get(
    mutex: *mut strait_mutex_t,
    value: *mut c_void,
    size: usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    let got = unsafe { lock(mutex) }.and_then(|lock| {
        // SAFETY: the caller's promise.
        let value = unsafe { arg::buffer(value.cast(), size)? };
        match lock {
            Some(Lock::Held(guard)) => guard.get_into(value),
            Some(Lock::OwnerDied(recovery)) => recovery.get_into(value),
            None => return Err(strait_status::WrongState),
        }
        .map_err(|_| strait_status::WrongSize)
    });
    crate::status::status(got)
}

/// Sets the value of a mutex that is locked (or awaits repair), of `size` bytes. Committed by one store: a
/// caller that dies during it leaves the old value or the new one.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_set(
    mutex: *mut strait_mutex_t,
    value: *const c_void,
    size: usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    let set = unsafe { lock(mutex) }.and_then(|lock| {
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), size)? };
        match lock {
            Some(Lock::Held(guard)) => guard.set_from(value),
            Some(Lock::OwnerDied(recovery)) => recovery.set_from(value),
            None => return Err(strait_status::WrongState),
        }
        .map_err(|_| strait_status::WrongSize)
    });
    crate::status::status(set)
}

/// After `STRAIT_STATUS_OWNER_DIED`: goes on with the value last committed. `STRAIT_STATUS_IN_PLACE` if there is
/// none, because the dead owner was editing in place: then it still awaits repair.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_roll_back(mutex: *mut strait_mutex_t) -> strait_status {
    let end = |recovery: Recovery<'static, [u8], CPort>| {
        let in_place = recovery.was_in_place();
        recovery.roll_back().map(Lock::Held).map_err(|left| {
            let status = if in_place { strait_status::InPlace } else { strait_status::NotOwner };
            (in_place.then_some(Lock::OwnerDied(left)), status)
        })
    };
    // SAFETY: the caller's promise.
    unsafe { recover_by(mutex, end) }
}

/// After `STRAIT_STATUS_OWNER_DIED`: goes on with the value as it is, or as it was set since. The caller has
/// seen to it that it is whole.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_mark_consistent(mutex: *mut strait_mutex_t) -> strait_status {
    let end = |recovery: Recovery<'static, [u8], CPort>| {
        recovery.mark_consistent().map(Lock::Held).map_err(|error| (None, error.into()))
    };
    // SAFETY: the caller's promise.
    unsafe { recover_by(mutex, end) }
}

/// Locks a mutex that was given up, and sets its value anew. `STRAIT_STATUS_WRONG_STATE` if it was not given up.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_reinitialise(
    mutex: *mut strait_mutex_t,
    value: *const c_void,
    size: usize,
) -> strait_status {
    let known = handle::place(mutex).and_then(|held| {
        // SAFETY: an object is there (H1); a number of it that never changes.
        let wanted = unsafe { (*held.as_ptr()).size };
        if wanted as usize == size { Ok(()) } else { Err(strait_status::WrongSize) }
    });
    let set = known.and_then(|()| {
        // SAFETY: the caller's promise.
        let value = unsafe { arg::bytes(value.cast(), size)? };
        let locking = |mutex: &'static mut Bytes| {
            mutex.reinitialise(value).map(Lock::Held).ok_or(strait_status::WrongState)
        };
        // SAFETY: the caller's promise.
        unsafe { lock_by(mutex, locking) }
    });
    crate::status::status(set)
}

/// Unlocks. One that awaits repair is given up instead: the next lock returns that it is poisoned.
/// `STRAIT_STATUS_NOT_OWNER` if the lock was not ours any more.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_unlock(mutex: *mut strait_mutex_t) -> strait_status {
    // SAFETY: the caller's promise.
    let unlocked = unsafe { lock(mutex) }.and_then(|lock| match lock.take() {
        Some(Lock::Held(guard)) => Ok(guard.unlock()?),
        Some(Lock::OwnerDied(recovery)) => {
            drop(recovery);
            Ok(())
        }
        None => Err(strait_status::WrongState),
    });
    crate::status::status(unlocked)
}

/// Gives a lock up instead of unlocking: the caller knows that what the mutex guards is not whole. Every later lock
/// returns `STRAIT_STATUS_POISONED`, until somebody sets the value anew with `strait_mutex_reinitialise`.
/// `STRAIT_STATUS_NOT_OWNER` if the lock was not ours any more.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_give_up(mutex: *mut strait_mutex_t) -> strait_status {
    // SAFETY: the caller's promise.
    let given_up = unsafe { lock(mutex) }.and_then(|lock| match lock.take() {
        Some(Lock::Held(guard)) => Ok(guard.give_up()?),
        Some(Lock::OwnerDied(recovery)) => {
            drop(recovery);
            Ok(())
        }
        None => Err(strait_status::WrongState),
    });
    crate::status::status(given_up)
}

/// How often the value of a locked mutex was changed, and how often the lock was taken over from a dead owner
/// (a fencing token). Either pointer may be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_version(
    mutex: *mut strait_mutex_t,
    version: *mut u32,
    takeovers: *mut u32,
) -> strait_status {
    let tell = |guard: &mut Guard<'static, [u8], CPort>| {
        // SAFETY: the caller's promise.
        unsafe { arg::answer(version, guard.version())? };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(takeovers, guard.takeovers()) }
    };
    // SAFETY: the caller's promise.
    unsafe { with_guard(mutex, tell) }
}

/// Closes a handle. One that is locked is unlocked first, as by `strait_mutex_unlock`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_mutex_close(mutex: *mut strait_mutex_t) -> strait_status {
    let unlock = |held: NonNull<Held>| {
        // SAFETY: an object is there (H1), and the caller's alone. The mutex beside the lock is not touched.
        let lock = unsafe { &mut (*held.as_ptr()).lock };
        drop(lock.take());
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::close_if(mutex, unlock) }
}
