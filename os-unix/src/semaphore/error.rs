//! The system's errors as a semaphore sees them.

use nix::errno::Errno;
use strait_os_base::OsError;
use strait_os_base::object::OpenFailure;

/// Why there is no semaphore.
pub(super) fn refused(call: &'static str, error: Errno) -> OpenFailure {
    match error {
        Errno::EEXIST => OpenFailure::AlreadyExists,
        Errno::ENOENT => OpenFailure::NotFound,
        Errno::EACCES | Errno::EPERM => OpenFailure::NotPermitted,
        Errno::ENAMETOOLONG | Errno::EINVAL => OpenFailure::Name,
        Errno::ENOSPC | Errno::ENOMEM => OpenFailure::NoSpace,
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
