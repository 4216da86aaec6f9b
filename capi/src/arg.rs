//! Pointers and numbers from C, checked as far as possible.

use core::ffi::c_char;
use core::ptr::NonNull;
use core::slice;
use core::time::Duration;

use strait_core::ground::entry::NAME_LEN;

use crate::strait_status;

/// The bytes at `start`; if there are none, `start` may be anything.
///
/// # Safety
///
/// If `start` is not null, `len` bytes there must be valid for reads, and nobody may write to them, for as
/// long as `'a`.
pub(crate) unsafe fn bytes<'a>(start: *const u8, len: usize) -> Result<&'a [u8], strait_status> {
    if len == 0 {
        return Ok(&[]);
    }
    if start.is_null() || isize::try_from(len).is_err() {
        return Err(strait_status::BadArgument);
    }
    // SAFETY: not null, not longer than a slice may be, and valid by the caller's promise.
    Ok(unsafe { slice::from_raw_parts(start, len) })
}

/// The buffer at `start`; if it is empty, `start` may be anything.
///
/// # Safety
///
/// If `start` is not null, `len` bytes there must be valid for reads and writes, and the caller's alone, for
/// as long as `'a`.
pub(crate) unsafe fn buffer<'a>(start: *mut u8, len: usize) -> Result<&'a mut [u8], strait_status> {
    if len == 0 {
        return Ok(&mut []);
    }
    if start.is_null() || isize::try_from(len).is_err() {
        return Err(strait_status::BadArgument);
    }
    // SAFETY: not null, not longer than a slice may be, and valid by the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(start, len) })
}

/// A pointer that must lead somewhere.
pub(crate) fn place<T>(pointer: *mut T) -> Result<NonNull<T>, strait_status> {
    let place = NonNull::new(pointer).ok_or(strait_status::BadArgument)?;
    if place.is_aligned() { Ok(place) } else { Err(strait_status::Misaligned) }
}

/// A copy of what a pointer that must lead somewhere leads to.
///
/// # Safety
///
/// If `pointer` is not null and aligned, it must lead to a `T`.
pub(crate) unsafe fn value<T: Copy>(pointer: *const T) -> Result<T, strait_status> {
    let place = place(pointer.cast_mut())?;
    // SAFETY: not null and aligned, and a `T` by the caller's promise.
    Ok(unsafe { place.read() })
}

/// Puts an answer where the caller wants it, which may be nowhere.
///
/// # Safety
///
/// If `pointer` is not null and aligned, it must be valid for writing a `T`.
pub(crate) unsafe fn answer<T>(pointer: *mut T, value: T) -> Result<(), strait_status> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: not null and aligned, and valid by the caller's promise.
    unsafe { place(pointer)?.write(value) };
    Ok(())
}

/// Checks a place for an answer before there is one.
pub(crate) fn may_answer<T>(pointer: *mut T) -> Result<(), strait_status> {
    if pointer.is_null() { Ok(()) } else { place(pointer).map(drop) }
}

/// A channel's name. What is too long for one is cut, and so names no channel.
///
/// # Safety
///
/// If `text` is not null, it must lead to a text that ends with a NUL, which nobody changes for as long as
/// `'a`.
pub(crate) unsafe fn name<'a>(text: *const c_char) -> Result<&'a str, strait_status> {
    let text = NonNull::new(text.cast_mut()).ok_or(strait_status::BadArgument)?.cast::<u8>();
    let mut len = 0;
    while len < NAME_LEN {
        // SAFETY: no NUL was found before it, so the text goes on up to here.
        let at = unsafe { text.add(len) };
        // SAFETY: inside the text, by the caller's promise.
        if unsafe { at.read() } == 0 {
            break;
        }
        len += 1;
    }
    // SAFETY: as many bytes were just read.
    let bytes = unsafe { slice::from_raw_parts(text.as_ptr(), len) };
    core::str::from_utf8(bytes).map_err(|_| strait_status::NotFound)
}

/// A time-out.
pub(crate) fn timeout(nanoseconds: u64) -> Duration {
    Duration::from_nanos(nanoseconds)
}
