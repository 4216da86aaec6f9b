//! What can go wrong with the system's semaphores: one enum per operation.

use core::fmt;

use nix::errno::Errno;

use crate::error::{FromCall as _, OsError};

/// Why a semaphore could not be created, opened or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SemOpenError {
    /// The name cannot be one.
    Name,
    /// There is a semaphore of this name already. It was left as it is.
    AlreadyExists,
    /// There is none of this name.
    NotFound,
    /// This user may not.
    NotPermitted,
    /// The initial value is beyond what a semaphore holds here.
    Initial {
        /// The value asked for.
        asked: u32,
        /// The largest there is.
        max: u32,
    },
    /// The mode has bits that a semaphore's cannot have.
    Mode {
        /// The mode asked for.
        mode: u32,
    },
    /// No space, or no further semaphore.
    NoSpace,
    /// Some other error of the system.
    Os(OsError),
}

impl SemOpenError {
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

impl fmt::Display for SemOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "a semaphore's name has 1 to 200 bytes (30 on macOS), no slash or control character, \
                 and no dot in front",
            ),
            Self::AlreadyExists => {
                f.write_str("it exists already; open it, or remove it first, or take another name")
            }
            Self::NotFound => f.write_str("there is no such semaphore; create it first"),
            Self::NotPermitted => f.write_str("its mode does not let this user in; run as its owner"),
            Self::Initial { asked, max } => {
                write!(f, "a semaphore holds at most {max} permits here, not {asked}; start with fewer")
            }
            Self::Mode { mode } => write!(f, "mode {mode:04o} cannot be; give bits of 0666"),
            Self::NoSpace => f.write_str("no space for a further semaphore; remove some"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SemOpenError {}

/// Why no permit was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SemAcquireError {
    /// There is none now.
    Empty,
    /// There was none for the time allowed.
    TimedOut,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for SemAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no permit is left"),
            Self::TimedOut => f.write_str("no permit was left for the time allowed"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SemAcquireError {}

/// Why permits could not be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SemReleaseError {
    /// The semaphore cannot hold so many.
    Overflow {
        /// How many were given back before that showed.
        released: u32,
    },
    /// Some other error of the system.
    Os {
        /// How many were given back before it.
        released: u32,
        /// The error.
        error: OsError,
    },
}

impl fmt::Display for SemReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow { released } => {
                write!(f, "more permits than the semaphore holds; {released} were given back")
            }
            Self::Os { released, error } => write!(f, "{error}; {released} were given back"),
        }
    }
}

impl core::error::Error for SemReleaseError {}
