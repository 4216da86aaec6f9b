//! Why there is no semaphore. What else can go wrong is the same on every system, in `strait_os`.

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
