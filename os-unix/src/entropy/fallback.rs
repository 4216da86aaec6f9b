//! `getentropy`.

use nix::errno::Errno;
use nix::libc;
use strait_os_base::OsError;

pub(super) fn fill(bytes: &mut [u8; 8]) -> Result<(), OsError> {
    // SAFETY: the pointer and the length name the whole array.
    let result = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    Errno::result(result).map(drop).map_err(|error| OsError::new("getentropy", error as i32))
}
