//! Names in a directory of the program's choice.

use core::ffi::c_char;

use super::access::path_in;
use super::region::text;
use crate::cancel::HeldOff;
use crate::{arg, strait_status};

/// Writes into `place`, which has `size` bytes, where the region `name` is in `directory`, and a NUL: a place for
/// `strait_create` and the other functions that take one. The directory must be an absolute path, and this user's or
/// root's; one that others may write to must have the sticky bit, as `/dev/shm`. `STRAIT_STATUS_NOT_FOUND` if there is
/// none, `STRAIT_STATUS_NOT_TRUSTED` if it is another user's or open to changes, `STRAIT_STATUS_TOO_SMALL` if `place`
/// is too short. The variable `STRAIT_DIR` names such a directory for all names in all programs. Unix only.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_place_in(
    place: *mut c_char,
    size: usize,
    directory: *const c_char,
    name: *const c_char,
) -> strait_status {
    let _whole = HeldOff::begin();
    let written = || {
        // SAFETY: the caller's promise.
        let directory = unsafe { text(directory)? };
        // SAFETY: the caller's promise.
        let path = path_in(directory, unsafe { text(name)? })?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { arg::buffer(place.cast::<u8>(), size)? };
        let bytes = path.as_bytes();
        let (start, end) = buffer.split_at_mut_checked(bytes.len()).ok_or(strait_status::TooSmall)?;
        *end.first_mut().ok_or(strait_status::TooSmall)? = 0;
        start.copy_from_slice(bytes);
        Ok(())
    };
    crate::status::status(written())
}
