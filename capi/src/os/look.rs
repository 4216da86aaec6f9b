//! What has become of a region of the system since it was opened.

use strait::SystemPort;

use crate::cancel::HeldOff;
use crate::region::attached;
use crate::{arg, strait_region_t, strait_status};

/// Shows `using` the port of an open region of the system.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
pub(super) unsafe fn with_port<R>(
    region: *const strait_region_t,
    using: impl FnOnce(&SystemPort) -> Result<R, strait_status>,
) -> Result<R, strait_status> {
    let _whole = HeldOff::begin();
    let of_system = |port: Option<&SystemPort>| using(port.ok_or(strait_status::WrongState)?);
    // SAFETY: the caller's promise.
    unsafe { attached(region, |region| of_system(region.port().system())) }
}

/// Whether the region's name or file still leads to this region, in `*current`. If it was removed or made anew, all
/// goes on working in the old memory, which nobody can open any more: ask when a peer stays away.
/// `STRAIT_STATUS_WRONG_STATE` for memory of the caller's.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_region_is_current(
    region: *const strait_region_t,
    current: *mut bool,
) -> strait_status {
    let told = arg::place(current).and_then(|place| {
        // SAFETY: the caller's promise.
        let found =
            unsafe { with_port(region, |port| port.is_current().map_err(|_| strait_status::System))? };
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(found) };
        Ok(())
    });
    crate::status::status(told)
}

/// Whether this process is a forked child of the one that opened the region, in `*forked`: then whatever it does in the
/// region reaches nobody. `STRAIT_STATUS_WRONG_STATE` for memory of the caller's.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_region_forked(
    region: *const strait_region_t,
    forked: *mut bool,
) -> strait_status {
    let told = arg::place(forked).and_then(|place| {
        // SAFETY: the caller's promise.
        let found = unsafe { with_port(region, |port| Ok(port.forked()))? };
        // SAFETY: not null, aligned, and the caller's.
        unsafe { place.write(found) };
        Ok(())
    });
    crate::status::status(told)
}

/// Waits until the region's file, and its name, are on storage as the memory was when this was called: for a region in a
/// file that is to survive a loss of power.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_region_sync(region: *const strait_region_t) -> strait_status {
    let sync = |port: &SystemPort| port.sync().map_err(|_| strait_status::System);
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { with_port(region, sync) })
}
