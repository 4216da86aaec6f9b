//! What can go wrong with the system's mutexes: one enum per operation.

use core::fmt;

use crate::error::OsError;
use crate::object::ObjectError;

/// Why a mutex could not be created or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MutexOpenError {
    /// The name cannot be one.
    Name,
    /// There is a mutex of this name already. It was left as it is.
    AlreadyExists,
    /// There is none of this name.
    NotFound,
    /// This user may not.
    NotPermitted,
    /// The name belongs to an object of another kind: a semaphore, an event, a section.
    WrongKind,
    /// No space, or no further mutex.
    NoSpace,
    /// Some other error of the system.
    Os(OsError),
}

impl From<ObjectError> for MutexOpenError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Name => Self::Name,
            ObjectError::AlreadyExists => Self::AlreadyExists,
            ObjectError::NotFound => Self::NotFound,
            ObjectError::NotPermitted => Self::NotPermitted,
            ObjectError::WrongKind => Self::WrongKind,
            ObjectError::NoSpace => Self::NoSpace,
            ObjectError::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for MutexOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "a mutex's name has 1 to 200 bytes, no slash or control character, no dot in front, and no \
                 backslash but that of Local\\ or Global\\",
            ),
            Self::AlreadyExists => f.write_str("it exists already; open it, or take another name"),
            Self::NotFound => f.write_str("there is no such mutex; create it first"),
            Self::NotPermitted => f.write_str("it does not let this user in; run as its owner"),
            Self::WrongKind => f.write_str("the name is that of something else; take another name"),
            Self::NoSpace => f.write_str("no space for a further mutex; close some"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MutexOpenError {}

/// Why the mutex was not had, or not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MutexLockError {
    /// Somebody else has it now.
    Busy,
    /// Somebody else had it for the time allowed.
    TimedOut,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for MutexLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("somebody else has the mutex"),
            Self::TimedOut => f.write_str("somebody else had the mutex for the time allowed"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MutexLockError {}
