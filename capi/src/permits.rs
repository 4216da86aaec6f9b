//! A semaphore whose permits come back from the dead.

use core::ffi::c_char;
use core::ptr::NonNull;

use strait_core::port::Ident;
use strait_core::{Deadline, Permit, Permits, SemaphoreError};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_permits_t, strait_region_t, strait_status};

/// A handle, and its permit while it has one. The permit borrows the handle, which so is reached through the permit
/// alone while there is one (U1).
pub(crate) struct Holder {
    permit: Option<Permit<'static, CPort>>,
    permits: Permits<CPort>,
}

impl Handle for strait_permits_t {
    type Object = Holder;
    const KIND: Kind = Kind::Permits;
}

/// A permit that was taken.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_permit_t {
    /// Which one, from 0.
    pub index: u32,
    /// The dead participant that it was taken over from; 0 if it was not.
    pub taken_over_from: u32,
}

/// Opens a handle on the permits `name`. Nothing is claimed. A handle has one permit at a time: open one for each that
/// is to be held at once.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_permits_open(
    permits: *mut strait_permits_t,
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        let permits = unsafe { attached(region, |region| Ok(region.permits(name)?))? };
        Ok(Holder { permit: None, permits })
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(permits, make) }
}

/// Takes a permit by `taking`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn take_by(
    permits: *mut strait_permits_t,
    permit: *mut strait_permit_t,
    taking: impl FnOnce(&'static mut Permits<CPort>) -> Result<Permit<'static, CPort>, SemaphoreError>,
) -> strait_status {
    let take = || {
        arg::may_answer(permit)?;
        let holder = handle::place(permits)?;
        // SAFETY: an object is there (H1), and the caller's alone. The handle beside the permit is not touched.
        let held = unsafe { &mut (*holder.as_ptr()).permit };
        if held.is_some() {
            return Err(strait_status::WrongState);
        }
        // SAFETY: an object is there (H1), which does not move until it is closed, and then the permit goes first;
        // and nobody else borrows the handle (U1).
        let borrowed = unsafe { &mut (*holder.as_ptr()).permits };
        let taken = held.insert(taking(borrowed)?);
        let from = taken.from().map_or(0, Ident::word);
        // SAFETY: the caller's promise.
        unsafe { arg::answer(permit, strait_permit_t { index: taken.index(), taken_over_from: from }) }
    };
    crate::status::status(take())
}

/// Takes a permit that is free, or whose holder is proven dead. `permit` may be null. `STRAIT_STATUS_WRONG_STATE` if
/// this handle has one. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_permits_try_acquire(
    permits: *mut strait_permits_t,
    permit: *mut strait_permit_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { take_by(permits, permit, Permits::try_acquire) }
}

/// Takes a permit, waiting up to `timeout_ns` for one; otherwise as `strait_permits_try_acquire`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_permits_acquire_timeout(
    permits: *mut strait_permits_t,
    permit: *mut strait_permit_t,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { take_by(permits, permit, |permits| permits.acquire_timeout(arg::timeout(timeout_ns))) }
}

/// Takes a permit, waiting until `deadline_ns` for one; otherwise as `strait_permits_try_acquire`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_permits_acquire_until(
    permits: *mut strait_permits_t,
    permit: *mut strait_permit_t,
    deadline_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { take_by(permits, permit, |permits| permits.acquire_until(Deadline::at_ns(deadline_ns))) }
}

/// Gives this handle's permit back, and wakes those that wait for one. `STRAIT_STATUS_WRONG_STATE` if it has none,
/// `STRAIT_STATUS_NOT_OWNER` if another participant has taken it over.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_permits_release(permits: *mut strait_permits_t) -> strait_status {
    let released = handle::place(permits).and_then(|holder| {
        // SAFETY: an object is there (H1), and the caller's alone. The handle beside the permit is not touched.
        let held = unsafe { &mut (*holder.as_ptr()).permit };
        Ok(held.take().ok_or(strait_status::WrongState)?.release()?)
    });
    crate::status::status(released)
}

/// Closes a handle. A permit that it has is given back first.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_permits_close(permits: *mut strait_permits_t) -> strait_status {
    let give_back = |holder: NonNull<Holder>| {
        // SAFETY: an object is there (H1), and the caller's alone. The handle beside the permit is not touched.
        let held = unsafe { &mut (*holder.as_ptr()).permit };
        drop(held.take());
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::close_if(permits, give_back) }
}
