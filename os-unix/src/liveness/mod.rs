//! Proof of life and death of participants.
//!
//! On Linux a participant's token is an exclusive open-file-description lock on one byte of the
//! region's own file, at an offset that its identity names and no other incarnation ever uses. The
//! kernel drops it when the last descriptor of that description is closed, which the end of the
//! process does for sure. Only the kernel's answer for that very byte counts as proof of death; any
//! error is [`Probe::Unknown`](strait_core::port::Probe), and a stopped process is alive.
//!
//! A dma-buf has no lock that is one process's: there, every probe answers `Unknown`.
//!
//! Elsewhere there is no such lock, and every probe answers `Unknown`: a dead peer's roles and locks
//! stay taken until the region is made anew.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod ofd;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::{Tokens, another};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use fallback::Tokens;

/// The kernel's `fcntl` with 64-bit offsets.
#[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64"))]
mod abi {
    pub(super) use nix::libc::{SYS_fcntl as FCNTL, flock as Lock};
}
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    target_pointer_width = "32",
    any(target_env = "gnu", target_os = "android")
))]
mod abi {
    pub(super) use nix::libc::{SYS_fcntl64 as FCNTL, flock64 as Lock};
}
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    target_pointer_width = "32",
    not(any(target_env = "gnu", target_os = "android"))
))]
mod abi {
    pub(super) use nix::libc::{SYS_fcntl64 as FCNTL, flock as Lock};
}
