//! Errors of the system's semaphores: one enum per operation.

use core::fmt;

use strait_os_base::object::{OpenFailure, ReleaseFailure};

use crate::OsError;

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
    /// The system has no place for semaphores: on Linux `/dev/shm` is missing. Unix only.
    NoDirectory,
    /// This user may not.
    NotPermitted,
    /// The initial value is beyond what a semaphore holds here.
    Initial {
        /// The value asked for.
        asked: u32,
        /// The largest there is.
        max: u32,
    },
    /// The mode has bits that a semaphore's cannot have. Does not occur on Windows, which has no modes.
    Mode {
        /// The mode asked for.
        mode: u32,
    },
    /// The name belongs to an object of another kind: a mutex, an event, a section. Does not occur on Unix,
    /// where these have names of their own.
    WrongKind,
    /// No space, or no further semaphore.
    NoSpace,
    /// Some other error of the system.
    Os(OsError),
}

impl From<OpenFailure> for SemOpenError {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::Name => Self::Name,
            OpenFailure::AlreadyExists => Self::AlreadyExists,
            OpenFailure::NotFound => Self::NotFound,
            OpenFailure::NoDirectory => Self::NoDirectory,
            OpenFailure::NotPermitted => Self::NotPermitted,
            OpenFailure::WrongKind => Self::WrongKind,
            OpenFailure::NoSpace => Self::NoSpace,
            OpenFailure::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for SemOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "a semaphore's name must have 1 to 200 bytes (30 on macOS), no slash or control character, and no dot in \
                 front; on Windows no backslash but that of Local\\ or Global\\",
            ),
            Self::AlreadyExists => {
                f.write_str("a semaphore of this name exists already; open it, or take another name")
            }
            Self::NotFound => f.write_str("there is no such semaphore; create it first"),
            Self::NoDirectory => f.write_str(
                "the system has no place for semaphores, on Linux /dev/shm; mount a tmpfs there",
            ),
            Self::NotPermitted => f.write_str("the semaphore does not let this user in; run as its owner"),
            Self::Initial { asked, max } => {
                write!(f, "a semaphore holds at most {max} permits here, not {asked}; start with fewer")
            }
            Self::Mode { mode } => write!(f, "a semaphore cannot have mode {mode:04o}; give bits of 0666"),
            Self::WrongKind => f.write_str("the name belongs to an object of another kind; take another name"),
            Self::NoSpace => f.write_str("there is no space for a further semaphore; free memory, or semaphores of your own"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SemOpenError {}

/// Why no permit was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SemAcquireError {
    /// There is none now.
    Empty,
    /// There was none until the time-out.
    TimedOut,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for SemAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no permit is left; try again later"),
            Self::TimedOut => f.write_str("no permit was left until the time-out passed"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SemAcquireError {}

/// Why permits could not be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SemReleaseError {
    /// The semaphore cannot hold that many.
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

impl From<ReleaseFailure> for SemReleaseError {
    fn from(failure: ReleaseFailure) -> Self {
        match failure {
            ReleaseFailure::Overflow(released) => Self::Overflow { released },
            ReleaseFailure::Os(released, error) => Self::Os { released, error },
        }
    }
}

impl fmt::Display for SemReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow { released } => {
                write!(f, "the semaphore cannot hold so many permits; {released} were given back")
            }
            Self::Os { released, error } => write!(f, "{error}; {released} were given back"),
        }
    }
}

impl core::error::Error for SemReleaseError {}
