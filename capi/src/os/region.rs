//! Regions by name and by path: create, open, remove.

use core::ffi::{CStr, c_char};

use strait::{
    CreateError, OpenError, OpenOrCreateError, Plan, Region, RegionFile, RegionName, RegionOptions,
    RegionPlace,
};

use crate::cancel::HeldOff;
use crate::plan::with_plan;
use crate::port::Source;
use crate::region::{no_more, open_region};
use crate::{strait_plan_t, strait_region_t, strait_status, strait_system_t};

/// Brings every page into memory while mapping.
pub const STRAIT_PREFAULT: u32 = 1;
/// Locks every page into memory while mapping.
pub const STRAIT_LOCK_MEMORY: u32 = 2;
/// Maps for reading alone, and takes no part.
pub const STRAIT_READ_ONLY: u32 = 4;

/// # Safety
///
/// `place` must be null, or a text that ends with a NUL and is valid for as long as `'a`.
pub(super) unsafe fn text<'a>(place: *const c_char) -> Result<&'a str, strait_status> {
    if place.is_null() {
        return Err(strait_status::BadArgument);
    }
    // SAFETY: a text that ends with a NUL, by the caller's promise.
    let place = unsafe { CStr::from_ptr(place) };
    place.to_str().map_err(|_| strait_status::BadName)
}

/// The region at a place: a path if it holds a slash, a name otherwise.
fn region_at(place: &str) -> Result<RegionPlace, strait_status> {
    if place.contains('/') {
        return Ok(RegionFile::new(place).into());
    }
    Ok(RegionName::new(place).map_err(|_| strait_status::BadName)?.into())
}

/// The options of these flags.
pub(super) fn flagged(flags: u32) -> Result<RegionOptions, strait_status> {
    if flags & !(STRAIT_PREFAULT | STRAIT_LOCK_MEMORY | STRAIT_READ_ONLY) != 0 {
        return Err(strait_status::BadArgument);
    }
    Ok(RegionOptions::new()
        .prefault(flags & STRAIT_PREFAULT != 0)
        .lock(flags & STRAIT_LOCK_MEMORY != 0)
        .read_only(flags & STRAIT_READ_ONLY != 0))
}

/// Opens a region in `handle` by `opening`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
pub(super) unsafe fn open_by(
    handle: *mut strait_region_t,
    place: *const c_char,
    options: impl FnOnce() -> Result<RegionOptions, strait_status>,
    opening: impl FnOnce(&RegionPlace, &RegionOptions) -> Result<Region, strait_status>,
) -> strait_status {
    let open = || {
        // SAFETY: the caller's promise.
        let region = region_at(unsafe { text(place)? })?;
        opening(&region, &options()?)
    };
    // SAFETY: the caller's promise.
    unsafe { open_here(handle, open) }
}

/// Opens the region that `opening` returns in `handle`.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
pub(super) unsafe fn open_here(
    handle: *mut strait_region_t,
    opening: impl FnOnce() -> Result<Region, strait_status>,
) -> strait_status {
    let look = || Ok(Source::System(opening()?.port().clone()));
    // SAFETY: the caller's promise.
    unsafe { open_region(handle, strait_system_t::NONE, look, no_more) }
}

/// Creates a region and takes part in it. `place` is a name, or a path if it holds a slash; `flags` are
/// `STRAIT_PREFAULT` and `STRAIT_LOCK_MEMORY`. The region appears complete or not at all, with mode 0600.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_create(
    region: *mut strait_region_t,
    place: *const c_char,
    plan: *const strait_plan_t,
    flags: u32,
) -> strait_status {
    let create = |at: &RegionPlace, options: &RegionOptions| {
        let create = |plan: &Plan<'_>| at.create(plan, options).map_err(create_status);
        // SAFETY: the caller's promise.
        unsafe { with_plan(plan, create) }
    };
    // SAFETY: the caller's promise.
    unsafe { open_by(region, place, || flagged(flags), create) }
}

/// Opens a region and takes part in it, or looks at it alone with `STRAIT_READ_ONLY`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_open(
    region: *mut strait_region_t,
    place: *const c_char,
    flags: u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { open_by(region, place, || flagged(flags), |at, options| at.open(options).map_err(open_status)) }
}

/// Opens a region, or creates it if it is not there, whichever process is first.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_open_or_create(
    region: *mut strait_region_t,
    place: *const c_char,
    plan: *const strait_plan_t,
    flags: u32,
) -> strait_status {
    let open = |at: &RegionPlace, options: &RegionOptions| {
        let open = |plan: &Plan<'_>| at.open_or_create(plan, options).map_err(open_or_create_status);
        // SAFETY: the caller's promise.
        unsafe { with_plan(plan, open) }
    };
    // SAFETY: the caller's promise.
    unsafe { open_by(region, place, || flagged(flags), open) }
}

/// Takes a region's name away, alive or not. Processes that have it open keep its memory.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_remove(place: *const c_char) -> strait_status {
    let _whole = HeldOff::begin();
    // SAFETY: the caller's promise.
    let removed = unsafe { text(place) }.and_then(|place| region_at(place)?.remove().map_err(open_status));
    crate::status::status(removed)
}

pub(super) fn open_or_create_status(error: OpenOrCreateError) -> strait_status {
    match error {
        OpenOrCreateError::Open(error) => open_status(error),
        OpenOrCreateError::Create(error) => create_status(error),
        _ => strait_status::Contended,
    }
}

pub(super) fn create_status(error: CreateError) -> strait_status {
    match error {
        CreateError::AlreadyExists => strait_status::AlreadyExists,
        CreateError::Format(error) => error.into(),
        CreateError::ReadOnly | CreateError::ReadersMode { .. } => strait_status::BadArgument,
        CreateError::NoSpace | CreateError::HugePages { .. } => strait_status::NoSpace,
        CreateError::NoDirectory => strait_status::BadName,
        CreateError::NotPermitted | CreateError::ReadOnlyFileSystem | CreateError::FileSizeLimit { .. } => {
            strait_status::NotPermitted
        }
        CreateError::Lock(_) => strait_status::NotLocked,
        _ => strait_status::System,
    }
}

pub(super) fn open_status(error: OpenError) -> strait_status {
    match error {
        OpenError::NotFound => strait_status::NotFound,
        OpenError::NotPermitted { .. } => strait_status::NotPermitted,
        OpenError::NotAFile { .. }
        | OpenError::Linked { .. }
        | OpenError::WrongOwner { .. }
        | OpenError::TooOpen { .. } => strait_status::NotTrusted,
        OpenError::TooShort { .. } => strait_status::TooShort,
        OpenError::NoSpace => strait_status::NoSpace,
        OpenError::Attach(error) => error.into(),
        OpenError::TableFull => strait_status::TableFull,
        OpenError::Lock(_) => strait_status::NotLocked,
        _ => strait_status::System,
    }
}
