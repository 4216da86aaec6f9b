//! Scheduling of the calling thread.

use strait_os_base::OsError;
use strait_os_base::rt::Failed;
use windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;
use windows_sys::Win32::System::Threading::{
    GetCurrentThread, SetThreadAffinityMask, SetThreadPriority, THREAD_PRIORITY_TIME_CRITICAL,
};

use crate::error::FromCall as _;

/// There is no such priority here.
pub fn set_fifo(_priority: i32) -> Result<(), Failed> {
    Err(Failed::Unsupported)
}

/// Runs the calling thread above all others of its process's class.
pub fn set_time_critical() -> Result<(), Failed> {
    // SAFETY: it names this thread, and cannot fail.
    let this = unsafe { GetCurrentThread() };
    // SAFETY: a thread may always name itself.
    if unsafe { SetThreadPriority(this, THREAD_PRIORITY_TIME_CRITICAL) } == 0 {
        return Err(Failed::Os(OsError::last("SetThreadPriority")));
    }
    Ok(())
}

/// Lets the calling thread run on these CPUs of its group alone, one at least.
pub fn pin(cpus: &[usize]) -> Result<(), Failed> {
    let mut mask = 0;
    for &cpu in cpus {
        let bit = u32::try_from(cpu).ok().and_then(|cpu| 1_usize.checked_shl(cpu));
        mask |= bit.ok_or(Failed::Cpu { cpu })?;
    }
    // SAFETY: it names this thread, and cannot fail.
    let this = unsafe { GetCurrentThread() };
    // SAFETY: a thread may always name itself.
    if unsafe { SetThreadAffinityMask(this, mask) } != 0 {
        return Ok(());
    }
    let error = OsError::last("SetThreadAffinityMask");
    // The system does not say which.
    let first = cpus.first().filter(|_| error.is(ERROR_INVALID_PARAMETER));
    Err(first.map_or(Failed::Os(error), |&cpu| Failed::Cpu { cpu }))
}
