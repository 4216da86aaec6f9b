//! The parts that differ between systems: making sockets, sending without a signal, the peer's identity.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use linux::{QUIET, base, peer, socket};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use fallback::{QUIET, base, peer, socket};
