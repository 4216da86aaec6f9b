//! What can go wrong with the system's semaphores in the same way everywhere: one enum per operation.

use core::fmt;

use crate::OsError;

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
