//! Regions without a name, in memory that no peer can cut short.

use strait::{Plan, SealedRegion};

use super::access;
use super::look::with_port;
use super::options::options_at;
use super::region::{create_status, open_here};
use crate::plan::with_plan;
use crate::{strait_options_t, strait_plan_t, strait_region_t, strait_status};

/// Creates a region in sealed memory and takes part in it: the one kind for peers that are not trusted, which could cut
/// a file short. It has no name; `strait_sealed_share` hands it over. For a peer of another user give the mode 0666.
/// Under the limit of a memory cgroup (a container) the system may end the process instead of an error.
/// `options` may be null. Linux; `STRAIT_STATUS_SYSTEM` on other Unix systems.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_sealed_create(
    region: *mut strait_region_t,
    plan: *const strait_plan_t,
    options: *const strait_options_t,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let options = unsafe { options_at(options)? };
        let create = |plan: &Plan<'_>| SealedRegion::create(plan, &options).map_err(create_status);
        // SAFETY: the caller's promise.
        unsafe { with_plan(plan, create) }
    };
    // SAFETY: the caller's promise.
    unsafe { open_here(region, make) }
}

/// Hands a sealed region over a Unix socket, for `strait_sealed_receive`. Blocks as long as the socket does.
/// `STRAIT_STATUS_WRONG_STATE` if the region is not sealed.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say; `socket`, if not negative, must be open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_sealed_share(region: *const strait_region_t, socket: i32) -> strait_status {
    // SAFETY: the caller's promise.
    let share = |port: &strait::SystemPort| unsafe { access::share(port, socket) };
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { with_port(region, share) })
}

/// Receives a sealed region over a Unix socket and takes part in it. Its seals and its length are checked before it is
/// mapped. Blocks as long as the socket does, so set a time-out on that, or poll first. `options` may be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say; `socket`, if not negative, must be open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_sealed_receive(
    region: *mut strait_region_t,
    socket: i32,
    options: *const strait_options_t,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let options = unsafe { options_at(options)? };
        // SAFETY: the caller's promise.
        unsafe { access::receive(socket, &options) }
    };
    // SAFETY: the caller's promise.
    unsafe { open_here(region, make) }
}
