//! Scheduling of the calling thread.
//!
//! ```no_run
//! # #[cfg(windows)]
//! # fn main() -> Result<(), strait_os_windows::rt::RtError> {
//! strait_os_windows::rt::set_time_critical()?;
//! strait_os_windows::rt::pin(&[2])?; // a core that nobody else uses
//! # Ok(())
//! # }
//! # #[cfg(not(windows))] fn main() {}
//! ```

use core::fmt;

use windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;
use windows_sys::Win32::System::Threading::{
    GetCurrentThread, SetThreadAffinityMask, SetThreadPriority, THREAD_PRIORITY_TIME_CRITICAL,
};

use crate::error::{FromCall as _, OsError};

/// Why the scheduler did not do as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtError {
    /// No CPU was named.
    NoCpu,
    /// There is no such CPU in this thread's group, or this process may not run on it.
    Cpu {
        /// The first such CPU.
        cpu: usize,
    },
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for RtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCpu => f.write_str("no CPU to run on; name at least one"),
            Self::Cpu { cpu } => {
                write!(f, "CPU {cpu} does not exist or is closed to this process; name another")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RtError {}

/// Runs the calling thread above all others of its process's class. That is no real-time priority (in
/// the normal class it is 15 of 31); a process in the real-time class, which takes a privilege, has
/// those.
///
/// # Errors
///
/// [`RtError`], with the thread's priority unchanged.
pub fn set_time_critical() -> Result<(), RtError> {
    // SAFETY: it names this thread, and cannot fail.
    let this = unsafe { GetCurrentThread() };
    // SAFETY: a thread may always name itself.
    if unsafe { SetThreadPriority(this, THREAD_PRIORITY_TIME_CRITICAL) } == 0 {
        return Err(RtError::Os(OsError::last("SetThreadPriority")));
    }
    Ok(())
}

/// Lets the calling thread run on these CPUs of its group alone.
///
/// # Errors
///
/// [`RtError`], with the thread's CPUs unchanged.
pub fn pin(cpus: &[usize]) -> Result<(), RtError> {
    let first = *cpus.first().ok_or(RtError::NoCpu)?;
    let mut mask = 0;
    for &cpu in cpus {
        let bit = u32::try_from(cpu).ok().and_then(|cpu| 1_usize.checked_shl(cpu));
        mask |= bit.ok_or(RtError::Cpu { cpu })?;
    }
    // SAFETY: it names this thread, and cannot fail.
    let this = unsafe { GetCurrentThread() };
    // SAFETY: a thread may always name itself.
    if unsafe { SetThreadAffinityMask(this, mask) } != 0 {
        return Ok(());
    }
    let error = OsError::last("SetThreadAffinityMask");
    // The system does not say which.
    Err(if error.is(ERROR_INVALID_PARAMETER) { RtError::Cpu { cpu: first } } else { RtError::Os(error) })
}

#[cfg(test)]
mod tests {
    use super::{RtError, pin};

    #[test]
    fn a_thread_can_be_pinned_to_a_cpu_that_there_is() {
        assert_eq!(pin(&[0]), Ok(()));
        assert_eq!(pin(&[]), Err(RtError::NoCpu));
        assert_eq!(pin(&[0, 99_999]), Err(RtError::Cpu { cpu: 99_999 }));
    }
}
