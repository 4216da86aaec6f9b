//! Why the system refused an operation on one of its own named objects: semaphores, and on Windows mutexes.

use crate::error::OsError;

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// The system refuses the name. Never on Windows, which takes any name that has been checked.
    Name,
    /// The name is taken.
    AlreadyExists,
    /// There is none of that name.
    NotFound,
    /// There is no place for semaphores. Never on Windows, whose names are in no directory.
    NoDirectory,
    /// This user may not.
    NotPermitted,
    /// The name is that of an object of another kind. Never on Unix.
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
