//! Objects in the caller's storage: opened, checked at each use, closed.
//!
//! # Invariants
//!
//! - H1. Storage whose seal fits its address and kind holds an object: `open` writes the seal last, and
//!   `close` takes it away first. So an object that was moved, closed or never opened is found out, but for
//!   storage that by chance holds the very seal.
//! - H2. An object fits its storage and its alignment: checked while this crate is compiled.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::storage::Kind;
use crate::{arg, strait_status};

/// Storage as the header declares it.
pub(crate) trait Handle: Sized {
    /// The object.
    type Object;

    /// Its kind.
    const KIND: Kind;

    /// H2.
    const FITS: () = assert!(
        size_of::<Sealed<Self::Object>>() <= size_of::<Self>()
            && align_of::<Sealed<Self::Object>>() <= align_of::<Self>()
    );
}

/// An object and the seal that says it is there.
#[repr(C)]
struct Sealed<T> {
    seal: usize,
    object: MaybeUninit<T>,
}

/// Unlikely to be in memory by chance.
const SEAL: usize = 0x5EA1_57A1;

fn seal<H: Handle>(place: NonNull<Sealed<H::Object>>) -> usize {
    place.addr().get() ^ SEAL ^ (H::KIND as usize) << 8
}

/// The storage, null or not.
fn storage<H: Handle>(handle: *mut H) -> Result<NonNull<Sealed<H::Object>>, strait_status> {
    const { H::FITS };
    Ok(arg::place(handle)?.cast())
}

fn is_sealed<H: Handle>(place: NonNull<Sealed<H::Object>>) -> bool {
    // SAFETY: the storage is the caller's, aligned, and long enough (H2).
    let seal_place = unsafe { &raw const (*place.as_ptr()).seal };
    // SAFETY: as above. Whatever is there is a number.
    unsafe { seal_place.read() == seal::<H>(place) }
}

fn object_in<H: Handle>(place: NonNull<Sealed<H::Object>>) -> NonNull<H::Object> {
    // SAFETY: the storage is the caller's, aligned, and long enough (H2).
    let object = unsafe { &raw mut (*place.as_ptr()).object };
    // SAFETY: not null, as the storage is not.
    unsafe { NonNull::new_unchecked(object.cast()) }
}

/// Opens what `make` puts into the place that it is given, and answers for.
///
/// # Safety
///
/// The storage is as the crate's rules say. `make` must write an object if it answers `Ok`.
pub(crate) unsafe fn open_in_place<H: Handle>(
    handle: *mut H,
    make: impl FnOnce(NonNull<H::Object>) -> Result<(), strait_status>,
) -> Result<(), strait_status> {
    let place = storage(handle)?;
    if is_sealed::<H>(place) {
        return Err(strait_status::InUse);
    }
    make(object_in::<H>(place))?;
    // SAFETY: the storage is the caller's, aligned, and long enough (H2).
    let seal_place = unsafe { &raw mut (*place.as_ptr()).seal };
    // SAFETY: as above.
    unsafe { seal_place.write(seal::<H>(place)) };
    Ok(())
}

/// Opens the object that `make` returns.
///
/// # Safety
///
/// The storage is as the crate's rules say.
pub(crate) unsafe fn open<H: Handle>(
    handle: *mut H,
    make: impl FnOnce() -> Result<H::Object, strait_status>,
) -> strait_status {
    let write = |place: NonNull<H::Object>| {
        let object = make()?;
        // SAFETY: the place is the storage's own, aligned and long enough.
        unsafe { place.write(object) };
        Ok(())
    };
    // SAFETY: the caller's promise; an object is written before the answer `Ok`.
    crate::status::status(unsafe { open_in_place(handle, write) })
}

/// The open object.
pub(crate) fn place<H: Handle>(handle: *mut H) -> Result<NonNull<H::Object>, strait_status> {
    let place = storage(handle)?;
    if is_sealed::<H>(place) { Ok(object_in::<H>(place)) } else { Err(strait_status::NotOpen) }
}

/// Uses the open object.
///
/// # Safety
///
/// The storage is as the crate's rules say: nobody else uses it during the call.
pub(crate) unsafe fn with<H: Handle>(
    handle: *mut H,
    using: impl FnOnce(&mut H::Object) -> Result<(), strait_status>,
) -> strait_status {
    let used = place(handle).and_then(|mut object| {
        // SAFETY: an object is there (H1), and the caller's alone.
        using(unsafe { object.as_mut() })
    });
    crate::status::status(used)
}

/// Closes the open object, if `may` allows it. That is given a place and not a reference, for an object may
/// hold pointers to itself.
///
/// # Safety
///
/// As for [`with`].
pub(crate) unsafe fn close_if<H: Handle>(
    handle: *mut H,
    may: impl FnOnce(NonNull<H::Object>) -> Result<(), strait_status>,
) -> strait_status {
    let closed = place(handle).and_then(may).and_then(|()| storage(handle)).map(|place| {
        // SAFETY: the storage is the caller's, aligned, and long enough (H2).
        let seal_place = unsafe { &raw mut (*place.as_ptr()).seal };
        // SAFETY: as above.
        unsafe { seal_place.write(0) };
        // SAFETY: an object was there (H1), and the seal that says so is gone.
        unsafe { object_in::<H>(place).drop_in_place() };
    });
    crate::status::status(closed)
}

/// Closes the open object.
///
/// # Safety
///
/// As for [`with`].
pub(crate) unsafe fn close<H: Handle>(handle: *mut H) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { close_if(handle, |_| Ok(())) }
}
