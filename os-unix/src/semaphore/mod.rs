//! The operating system's named semaphores, with time-outs: for meeting programs that use those.
//!
//! | system | a wait is | `value` |
//! | --- | --- | --- |
//! | Linux with glibc 2.30 or newer, 64 bits | one sleep in the kernel, on the monotonic clock (`sem_clockwait`) | known |
//! | FreeBSD, other C libraries of Linux | polling with sleeps of up to 1 ms | known |
//! | macOS | polling with sleeps of up to 1 ms | not to be had |
//!
//! `sem_timedwait` is used nowhere: its time-out is the wall clock's, so setting that would cut a wait
//! short or make it endless.

mod error;
mod named;
mod sys;

#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#[path = "clockwait.rs"]
mod wait;
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")))]
#[path = "fallback.rs"]
mod wait;

mod poll;

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod value;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
#[path = "value_fallback.rs"]
mod value;

pub use error::SemOpenError;
pub use named::NamedSemaphore;
#[doc(inline)]
pub use strait_os_common::semaphore::{SemAcquireError, SemReleaseError};
