//! `sem_getvalue`.

use nix::errno::Errno;
use nix::libc;

use super::sys::Sem;

/// How many permits are left.
pub(super) fn of(sem: &Sem) -> Option<u32> {
    let mut value = 0;
    // SAFETY: the semaphore is open for as long as the reference is held; the value is a local.
    let result = unsafe { libc::sem_getvalue(sem.as_ptr(), &raw mut value) };
    // Some systems count waiters below 0.
    Errno::result(result).ok().map(|_| u32::try_from(value).unwrap_or(0))
}
