//! Random numbers of the system, for instance ids and private names.

use strait_os_base::OsError;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux::fill;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use fallback::fill;

/// 64 random bits.
pub(crate) fn random_u64() -> Result<u64, OsError> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}
