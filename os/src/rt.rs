//! Real-time scheduling of the calling thread.
//!
//! | | Linux | FreeBSD | macOS | Windows |
//! | --- | --- | --- | --- | --- |
//! | [`set_fifo`] | yes | yes | yes | no |
//! | [`set_time_critical`] | no | no | no | yes |
//! | [`pin`] | yes | yes | no | yes |
//!
//! On a system without a function it returns [`RtError::Unsupported`].
//!
//! # Examples
//!
//! ```
//! use strait_os::rt::{self, RtError};
//!
//! let control_loop = std::thread::spawn(|| {
//!     // Above most threads, below the kernel's own.
//!     match rt::set_fifo(80) {
//!         Ok(()) => {}
//!         // Without the right to real-time priorities the loop still runs, with more jitter.
//!         Err(RtError::NotPermitted | RtError::Unsupported) => println!("without real-time priority"),
//!         Err(error) => panic!("{error}"),
//!     }
//!     // A CPU that is reserved for it; here the first one.
//!     rt::pin(&[0])
//! });
//! let pinned = control_loop.join().unwrap();
//! assert!(matches!(pinned, Ok(()) | Err(RtError::Cpu { cpu: 0 } | RtError::Unsupported)));
//! assert_eq!(rt::pin(&[]), Err(RtError::NoCpu));
//! ```

use core::fmt;

use strait_os_base::rt::Failed;

use crate::OsError;

use crate::sys::rt;

/// Why a thread's scheduling was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtError {
    /// The priority is outside the range of `SCHED_FIFO`.
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
    /// There is no such CPU (on Windows, in this thread's group), or this process may not run on it.
    Cpu {
        /// The first such CPU; on Windows, where the system does not say which, the first one asked for.
        cpu: usize,
    },
    /// This system has no such scheduling.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for RtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Priority { asked, lowest, highest } => {
                write!(f, "this system has no priority {asked}; give one from {lowest} to {highest}")
            }
            Self::NotPermitted => f.write_str(
                "this process may not use real-time priorities; raise RLIMIT_RTPRIO (ulimit -r), or \
                 grant CAP_SYS_NICE, or run as root",
            ),
            Self::NoCpu => f.write_str("the thread would have no CPU to run on; name at least one"),
            Self::Cpu { cpu } => {
                write!(f, "there is no CPU {cpu}, or it is closed to this process; name another")
            }
            Self::Unsupported => f.write_str("this system cannot schedule a thread so; leave it out"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RtError {}

impl RtError {
    fn new(failed: Failed, asked: i32) -> Self {
        match failed {
            Failed::Priority { lowest, highest } => Self::Priority { asked, lowest, highest },
            Failed::NotPermitted => Self::NotPermitted,
            Failed::Cpu { cpu } => Self::Cpu { cpu },
            Failed::Unsupported => Self::Unsupported,
            Failed::Os(error) => Self::Os(error),
        }
    }
}

/// Runs the calling thread as `SCHED_FIFO` at `priority`. Threads that it starts from then on inherit that.
/// Unix only.
///
/// # Errors
///
/// [`RtError`], with the thread's scheduling unchanged.
pub fn set_fifo(priority: i32) -> Result<(), RtError> {
    rt::set_fifo(priority).map_err(|failed| RtError::new(failed, priority))
}

/// Runs the calling thread above all others of its process's class. That is no real-time priority (in the
/// normal class it is 15 of 31); a process in the real-time class, which takes a privilege, has those.
/// Windows only.
///
/// # Errors
///
/// [`RtError`], with the thread's priority unchanged.
pub fn set_time_critical() -> Result<(), RtError> {
    rt::set_time_critical().map_err(|failed| RtError::new(failed, 0))
}

/// Lets the calling thread run on these CPUs alone; on Windows, of its group. On Unix threads that it starts
/// from then on inherit that. Each CPU must exist and be open to this process.
///
/// # Errors
///
/// [`RtError`], with the thread's CPUs unchanged.
pub fn pin(cpus: &[usize]) -> Result<(), RtError> {
    if cpus.is_empty() {
        return Err(RtError::NoCpu);
    }
    rt::pin(cpus).map_err(|failed| RtError::new(failed, 0))
}
