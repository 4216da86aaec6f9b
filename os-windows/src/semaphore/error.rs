//! Why there is no semaphore. What else can go wrong is the same on every system, in `strait_os`.

use core::fmt;

use crate::error::OsError;
use crate::object::ObjectError;

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
    /// The name belongs to an object of another kind: a mutex, an event, a section.
    WrongKind,
    /// No space, or no further semaphore.
    NoSpace,
    /// Some other error of the system.
    Os(OsError),
}

impl From<ObjectError> for SemOpenError {
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

impl fmt::Display for SemOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "a semaphore's name has 1 to 200 bytes, no slash or control character, no dot in front, and no \
                 backslash but that of Local\\ or Global\\",
            ),
            Self::AlreadyExists => {
                f.write_str("it exists already; open it, or take another name")
            }
            Self::NotFound => f.write_str("there is no such semaphore; create it first"),
            Self::NotPermitted => f.write_str("it does not let this user in; run as its owner"),
            Self::Initial { asked, max } => {
                write!(f, "a semaphore holds at most {max} permits here, not {asked}; start with fewer")
            }
            Self::WrongKind => f.write_str("the name is that of something else; take another name"),
            Self::NoSpace => f.write_str("no space for a further semaphore; remove some"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SemOpenError {}
