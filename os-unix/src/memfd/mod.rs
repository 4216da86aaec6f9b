//! Sealed memory: regions without a name, which no peer can cut short, handed over a Unix socket.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod pass;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::{accept, create, is_kept_long, is_sealed, seal, share};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use fallback::{accept, create, is_kept_long, is_sealed, seal, share};
