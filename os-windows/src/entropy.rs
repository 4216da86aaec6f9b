//! Random numbers of the system, for instance ids and private names.

use core::ptr::null_mut;

use strait_os_base::OsError;
use windows_sys::Win32::Security::Cryptography::{BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom};

use crate::error::FromCall as _;

/// 64 random bits.
pub(crate) fn random_u64() -> Result<u64, OsError> {
    let mut bytes = [0; 8];
    let (at, len) = (bytes.as_mut_ptr(), bytes.len() as u32);
    // SAFETY: the pointer and the length name the whole array; the flag goes with no algorithm.
    match unsafe { BCryptGenRandom(null_mut(), at, len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) } {
        0 => Ok(u64::from_ne_bytes(bytes)),
        status => Err(OsError::numbered("BCryptGenRandom", status as u32)),
    }
}
