//! A counting semaphore.

use core::ffi::c_char;

use strait_core::{Semaphore, SemaphoreError};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_region_t, strait_semaphore_t, strait_status};

impl Handle for strait_semaphore_t {
    type Object = Semaphore<CPort>;
    const KIND: Kind = Kind::Semaphore;
}

/// Opens a handle on the semaphore `name`. Nothing is claimed.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_open(
    semaphore: *mut strait_semaphore_t,
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.semaphore(name)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(semaphore, make) }
}

/// Takes one. Never waits.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_try_acquire(semaphore: *mut strait_semaphore_t) -> strait_status {
    let acquire = |semaphore: &mut Semaphore<CPort>| semaphore.try_acquire().map_err(SemaphoreError::into);
    // SAFETY: the caller's promise.
    unsafe { handle::with(semaphore, acquire) }
}

/// Takes one, waiting up to `timeout_ns` for it.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_acquire_timeout(
    semaphore: *mut strait_semaphore_t,
    timeout_ns: u64,
) -> strait_status {
    let acquire = |semaphore: &mut Semaphore<CPort>| {
        semaphore.acquire_timeout(arg::timeout(timeout_ns)).map_err(SemaphoreError::into)
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(semaphore, acquire) }
}

/// Gives `count` back, and wakes as many sleepers.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_release(
    semaphore: *mut strait_semaphore_t,
    count: u32,
) -> strait_status {
    let release = |semaphore: &mut Semaphore<CPort>| semaphore.release(count).map_err(SemaphoreError::into);
    // SAFETY: the caller's promise.
    unsafe { handle::with(semaphore, release) }
}

/// The count now, in `*count`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_count(
    semaphore: *mut strait_semaphore_t,
    count: *mut u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    let tell = |semaphore: &mut Semaphore<CPort>| unsafe { arg::answer(count, semaphore.count()) };
    // SAFETY: the caller's promise.
    unsafe { handle::with(semaphore, tell) }
}

/// Closes a handle. The count stays as it is.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_semaphore_close(semaphore: *mut strait_semaphore_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(semaphore) }
}
