//! Sleeping until a word of the region changes.
//!
//! | system | mechanism | a wake reaches the sleeper after |
//! | --- | --- | --- |
//! | Linux | a futex, shared between processes | the time of a context switch |
//! | Linux from 5.16, several words | one call for up to 128 futexes | the same |
//! | others, or where the kernel refuses the futex | polling with sleeps | 1 ms at the most, and a context switch |

mod poll;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::{wait, wake, wake_first};
#[cfg(any(target_os = "linux", target_os = "android"))]
mod many;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use many::wait_any;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use fallback::{wait, wait_any, wake, wake_first};

/// The kernel's futex: the call with times of 64 bits, and the older one where there was another.
#[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64"))]
mod abi {
    pub(super) const FUTEX: core::ffi::c_long = nix::libc::SYS_futex;
    pub(super) const OLDER: Option<core::ffi::c_long> = None;
}
#[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "32"))]
mod abi {
    /// `SYS_futex_time64`, which has this number on all machines.
    pub(super) const FUTEX: core::ffi::c_long = 422;
    pub(super) const OLDER: Option<core::ffi::c_long> = Some(nix::libc::SYS_futex);
}
