//! Random numbers of the system, for instance ids and private names.

use nix::errno::Errno;
use nix::libc;

use crate::error::OsError;

/// 64 random bits.
pub(crate) fn random_u64() -> Result<u64, OsError> {
    let mut bytes = [0_u8; 8];
    // SAFETY: the pointer and the length name the whole array.
    let result = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    Errno::result(result).map_err(|error| OsError::nix("getentropy", error))?;
    Ok(u64::from_ne_bytes(bytes))
}
