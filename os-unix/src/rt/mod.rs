//! Real-time scheduling of the calling thread.
//!
//! ```no_run
//! # fn main() -> Result<(), strait_os_unix::rt::RtError> {
//! strait_os_unix::rt::set_fifo(80)?; // above most, below the kernel's own threads
//! strait_os_unix::rt::pin(&[2])?; // a core that nobody else uses
//! # Ok(())
//! # }
//! ```

use core::fmt;

use nix::libc;

use crate::error::OsError;

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod affinity;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
use affinity::pin_to;

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
use fallback::pin_to;

/// Why the scheduler did not do as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtError {
    /// The priority is outside the range of `SCHED_FIFO` here.
    Priority {
        /// The priority asked for.
        asked: i32,
        /// The lowest there is.
        lowest: i32,
        /// The highest there is.
        highest: i32,
    },
    /// This process may not have real-time priorities.
    NotPermitted,
    /// No CPU was named.
    NoCpu,
    /// There is no such CPU, or this process may not run on it.
    Cpu {
        /// The first such CPU.
        cpu: usize,
    },
    /// This system cannot pin a thread.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for RtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Priority { asked, lowest, highest } => {
                write!(f, "priority {asked} does not exist; give one from {lowest} to {highest}")
            }
            Self::NotPermitted => f.write_str(
                "not permitted to use real-time priorities; raise RLIMIT_RTPRIO (ulimit -r), or \
                 grant CAP_SYS_NICE, or run as root",
            ),
            Self::NoCpu => f.write_str("no CPU to run on; name at least one"),
            Self::Cpu { cpu } => {
                write!(f, "CPU {cpu} does not exist or is closed to this process; name another")
            }
            Self::Unsupported => f.write_str("this system cannot pin a thread to a CPU"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RtError {}

/// Runs the calling thread as `SCHED_FIFO` at `priority`. Threads that it starts from then on
/// inherit that.
///
/// # Errors
///
/// [`RtError`], with the thread's scheduling unchanged.
pub fn set_fifo(priority: i32) -> Result<(), RtError> {
    // SAFETY: the call takes a number and answers with one.
    let lowest = unsafe { libc::sched_get_priority_min(libc::SCHED_FIFO) };
    // SAFETY: as above.
    let highest = unsafe { libc::sched_get_priority_max(libc::SCHED_FIFO) };
    if !(lowest..=highest).contains(&priority) {
        return Err(RtError::Priority { asked: priority, lowest, highest });
    }
    // SAFETY: the struct is integers throughout, for which zeros are a value.
    let mut parameters: libc::sched_param = unsafe { core::mem::zeroed() };
    parameters.sched_priority = priority;
    // SAFETY: a thread may always name itself.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread exists, for it is this one, and the struct lives until the call is over.
    match unsafe { libc::pthread_setschedparam(this, libc::SCHED_FIFO, &raw const parameters) } {
        0 => Ok(()),
        libc::EPERM => Err(RtError::NotPermitted),
        code => Err(RtError::Os(OsError::new("pthread_setschedparam", code))),
    }
}

/// Lets the calling thread, and those that it starts from then on, run on these CPUs alone. Each
/// must exist and be open to this process.
///
/// # Errors
///
/// [`RtError`], with the thread's CPUs unchanged.
pub fn pin(cpus: &[usize]) -> Result<(), RtError> {
    if cpus.is_empty() {
        return Err(RtError::NoCpu);
    }
    pin_to(cpus)
}
