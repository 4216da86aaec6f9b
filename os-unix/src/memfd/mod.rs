//! Sealed memory: regions without a name, which no peer can cut short, handed over a Unix socket.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod pass;
#[cfg(target_os = "linux")]
pub(crate) use linux::{accept, create, is_sealed, seal, share};

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
pub(crate) use fallback::{accept, create, is_sealed, seal, share};
