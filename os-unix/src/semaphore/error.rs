//! The system's errors as a semaphore sees them.

use nix::errno::Errno;
use nix::libc;
use strait_os_base::OsError;
use strait_os_base::object::OpenFailure;

/// The error of a C library without them.
const NONE_HERE: OsError = OsError::explained(
    "this system has no named semaphores (Android has none); put a channel of kind semaphore into a region",
    libc::ENOSYS,
);

/// Why there is no semaphore.
pub(super) fn refused(call: &'static str, error: Errno) -> OpenFailure {
    match error {
        Errno::EEXIST => OpenFailure::AlreadyExists,
        Errno::ENOENT => OpenFailure::NotFound,
        Errno::EACCES | Errno::EPERM => OpenFailure::NotPermitted,
        Errno::ENAMETOOLONG | Errno::EINVAL => OpenFailure::Name,
        Errno::ENOSPC | Errno::ENOMEM => OpenFailure::NoSpace,
        Errno::ENOSYS => OpenFailure::Os(NONE_HERE),
        error => OpenFailure::Os(OsError::new(call, error as i32)),
    }
}

/// Why none was made: what is not there is the place for it.
pub(super) fn not_made(error: Errno) -> OpenFailure {
    match refused("sem_open", error) {
        OpenFailure::NotFound => OpenFailure::NoDirectory,
        other => other,
    }
}
