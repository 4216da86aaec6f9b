//! Scheduling of the calling thread.

use nix::libc;
use strait_os_base::OsError;
use strait_os_base::rt::Failed;

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod affinity;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub use affinity::pin;

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub use fallback::pin;

/// Runs the calling thread as `SCHED_FIFO`.
pub fn set_fifo(priority: i32) -> Result<(), Failed> {
    // SAFETY: the call takes a number and returns one.
    let lowest = unsafe { libc::sched_get_priority_min(libc::SCHED_FIFO) };
    // SAFETY: as above.
    let highest = unsafe { libc::sched_get_priority_max(libc::SCHED_FIFO) };
    if !(lowest..=highest).contains(&priority) {
        return Err(Failed::Priority { lowest, highest });
    }
    // SAFETY: the struct is integers throughout, for which zeros are a value.
    let mut parameters: libc::sched_param = unsafe { core::mem::zeroed() };
    parameters.sched_priority = priority;
    // SAFETY: a thread may always name itself.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread exists, because it is this one, and the struct lives until the call is over.
    match unsafe { libc::pthread_setschedparam(this, libc::SCHED_FIFO, &raw const parameters) } {
        0 => Ok(()),
        libc::EPERM => Err(Failed::NotPermitted),
        code => Err(Failed::Os(OsError::new("pthread_setschedparam", code))),
    }
}

/// There is no such priority here.
pub fn set_time_critical() -> Result<(), Failed> {
    Err(Failed::Unsupported)
}
