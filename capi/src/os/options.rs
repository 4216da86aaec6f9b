//! Regions with options: whom they let in, and which domain this participant is of.

use core::ffi::c_char;

use strait::{Plan, RegionOptions, RegionPlace};

use super::access::with_access;
use super::region::{create_status, flagged, open_by, open_or_create_status, open_status};
use crate::plan::with_plan;
use crate::{arg, strait_plan_t, strait_region_t, strait_status};

/// Opens regions of any owner and mode: for tools that look.
pub const STRAIT_ANY_OWNER: u32 = 8;
/// In `strait_options_t`: opens only files of the user `owner`. Unix only.
pub const STRAIT_OWNER: u32 = 16;
/// In `strait_options_t`: creates regions with a `mode` that lets others read and not write, as 0640, which is refused
/// otherwise: such a reader can keep all others from joining by a lock on the file. Unix only.
pub const STRAIT_READERS: u32 = 32;

/// How a region is created or opened. All zeros, or a null pointer: as by `strait_create` and `strait_open` without
/// flags.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_options_t {
    /// `STRAIT_PREFAULT`, `STRAIT_LOCK_MEMORY`, `STRAIT_READ_ONLY`, `STRAIT_ANY_OWNER`, `STRAIT_OWNER`,
    /// `STRAIT_READERS`.
    pub flags: u32,
    /// Creates files with exactly this mode, whatever the umask, and opens only files that grant nothing beyond it. 0
    /// stands for 0600. Who may write to a region can disturb all its users. Unix only; elsewhere 0.
    pub mode: u32,
    /// With `STRAIT_OWNER`, the user whose files are opened; otherwise this process's effective user.
    pub owner: u32,
    /// The domain of this participant.
    pub domain: u32,
}

/// # Safety
///
/// `options` must be null, misaligned, or lead to options.
pub(super) unsafe fn options_at(options: *const strait_options_t) -> Result<RegionOptions, strait_status> {
    let strait_options_t { flags, mode, owner, domain } = if options.is_null() {
        strait_options_t::default()
    } else {
        // SAFETY: the caller's promise.
        unsafe { arg::value(options)? }
    };
    let any_owner = flags & STRAIT_ANY_OWNER != 0;
    let made = flagged(flags & !(STRAIT_ANY_OWNER | STRAIT_OWNER | STRAIT_READERS))?;
    let made = made.any_owner(any_owner).domain(domain);
    with_access(made, mode, flags & STRAIT_READERS != 0, (flags & STRAIT_OWNER != 0).then_some(owner))
}

/// As `strait_create`, with options, which may be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_create_with(
    region: *mut strait_region_t,
    place: *const c_char,
    plan: *const strait_plan_t,
    options: *const strait_options_t,
) -> strait_status {
    let create = |at: &RegionPlace, options: &RegionOptions| {
        let create = |plan: &Plan<'_>| at.create(plan, options).map_err(create_status);
        // SAFETY: the caller's promise.
        unsafe { with_plan(plan, create) }
    };
    // SAFETY: the caller's promise.
    let options = || unsafe { options_at(options) };
    // SAFETY: the caller's promise.
    unsafe { open_by(region, place, options, create) }
}

/// As `strait_open`, with options, which may be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_open_with(
    region: *mut strait_region_t,
    place: *const c_char,
    options: *const strait_options_t,
) -> strait_status {
    let open = |at: &RegionPlace, options: &RegionOptions| at.open(options).map_err(open_status);
    // SAFETY: the caller's promise.
    let options = || unsafe { options_at(options) };
    // SAFETY: the caller's promise.
    unsafe { open_by(region, place, options, open) }
}

/// As `strait_open_or_create`, with options, which may be null.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_open_or_create_with(
    region: *mut strait_region_t,
    place: *const c_char,
    plan: *const strait_plan_t,
    options: *const strait_options_t,
) -> strait_status {
    let open = |at: &RegionPlace, options: &RegionOptions| {
        let open = |plan: &Plan<'_>| at.open_or_create(plan, options).map_err(open_or_create_status);
        // SAFETY: the caller's promise.
        unsafe { with_plan(plan, open) }
    };
    // SAFETY: the caller's promise.
    let options = || unsafe { options_at(options) };
    // SAFETY: the caller's promise.
    unsafe { open_by(region, place, options, open) }
}
