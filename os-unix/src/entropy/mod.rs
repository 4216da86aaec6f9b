//! Random numbers of the system, for instance ids and private names.

use strait_os_base::OsError;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux::fill;

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
use fallback::fill;

/// 64 random bits.
pub(crate) fn random_u64() -> Result<u64, OsError> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}
