//! The system's errors as a semaphore sees them. `strait_os` makes its own errors of these.

use nix::errno::Errno;

use crate::error::{FromCall as _, OsError};

/// Why there is no semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// The system refuses the name.
    Name,
    /// The name is taken.
    AlreadyExists,
    /// There is none of that name.
    NotFound,
    /// There is no place for semaphores.
    NoDirectory,
    /// This user may not.
    NotPermitted,
    /// Never here: the name is that of something else.
    WrongKind,
    /// No space.
    NoSpace,
    /// Anything else.
    Os(OsError),
}

/// Why permits were not given back, and how many were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseFailure {
    /// There is no room for them.
    Overflow(u32),
    /// Anything else.
    Os(u32, OsError),
}

impl OpenFailure {
    /// Why none was made: what is not there is the place for it.
    pub(super) fn of_making(error: Errno) -> Self {
        match Self::new("sem_open", error) {
            Self::NotFound => Self::NoDirectory,
            other => other,
        }
    }

    pub(super) fn new(call: &'static str, error: Errno) -> Self {
        match error {
            Errno::EEXIST => Self::AlreadyExists,
            Errno::ENOENT => Self::NotFound,
            Errno::EACCES | Errno::EPERM => Self::NotPermitted,
            Errno::ENAMETOOLONG | Errno::EINVAL => Self::Name,
            Errno::ENOSPC | Errno::ENOMEM => Self::NoSpace,
            error => Self::Os(OsError::nix(call, error)),
        }
    }
}
