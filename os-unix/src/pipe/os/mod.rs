//! The parts that differ between systems: making sockets, sending without a signal, the peer's identity.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(super) use linux::{BASE, QUIET, peer, socket};

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
pub(super) use fallback::{BASE, QUIET, peer, socket};
