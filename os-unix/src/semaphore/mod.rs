//! The system calls of `strait_os::NamedSemaphore`: POSIX named semaphores.
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

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod value;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
#[path = "value_fallback.rs"]
mod value;

pub use named::{Access, Semaphore, bare_name};
