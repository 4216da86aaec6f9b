//! Pinning where the system has CPU sets.

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use strait_os_base::OsError;

use super::Failed;

/// The calling thread.
const THIS: Pid = Pid::from_raw(0);

/// Lets the calling thread run on these CPUs alone, one at least.
pub fn pin(cpus: &[usize]) -> Result<(), Failed> {
    // One by one first: for a set the kernel quietly leaves out what the thread may not have.
    let before = sched_getaffinity(THIS).map_err(get_error)?;
    let result = cpus.iter().try_for_each(|&cpu| set(&[cpu])).and_then(|()| set(cpus));
    if result.is_err() {
        let _ = sched_setaffinity(THIS, &before); // The thread was there a moment ago.
    }
    result
}

fn set(cpus: &[usize]) -> Result<(), Failed> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu).map_err(|_| Failed::Cpu { cpu })?;
    }
    sched_setaffinity(THIS, &set).map_err(|error| match error {
        Errno::EINVAL | Errno::EDEADLK => Failed::Cpu { cpu: cpus[0] },
        error => Failed::Os(OsError::new("sched_setaffinity", error as i32)),
    })
}

fn get_error(error: Errno) -> Failed {
    Failed::Os(OsError::new("sched_getaffinity", error as i32))
}
