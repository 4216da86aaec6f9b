//! Why there is no listener, and what the system's errors mean to a pipe. The other errors are the same on
//! every system, in `strait_os`.

use core::fmt;

use nix::errno::Errno;
use strait_os_common::pipe::{ConnectError, PipeError};

use crate::error::{FromCall as _, OsError};

/// Why a listener could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody serves this name already.
    AlreadyExists,
    /// This user may not, or the directory of pipes is not safe to use.
    NotPermitted,
    /// The options ask for no instance, or for more than 253.
    Instances {
        /// How many were asked for.
        asked: u32,
    },
    /// This system has no such pipes.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl BindError {
    pub(super) fn new(call: &'static str, error: Errno) -> Self {
        match error {
            Errno::EADDRINUSE => Self::AlreadyExists,
            Errno::EACCES | Errno::EPERM => Self::NotPermitted,
            Errno::EPROTONOSUPPORT | Errno::ESOCKTNOSUPPORT => Self::Unsupported,
            error => Self::Os(OsError::nix(call, error)),
        }
    }

    pub(super) fn io(call: &'static str, error: &std::io::Error) -> Self {
        Self::new(call, Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO)))
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => f.write_str("somebody serves this name already; take another one"),
            Self::NotPermitted => f.write_str(
                "this user may not serve there; the directory of pipes must be its own, and no one else's to write",
            ),
            Self::Instances { asked } => {
                write!(f, "a listener serves 1 to 253 clients at once, not {asked}")
            }
            Self::Unsupported => f.write_str("this system has no such pipes"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for BindError {}

/// Why a client could not connect, by the system's answer.
pub(super) fn connect_error(call: &'static str, error: Errno) -> ConnectError {
    match error {
        // Refused: a socket that a dead server left.
        Errno::ENOENT | Errno::ECONNREFUSED => ConnectError::NotFound,
        Errno::EAGAIN => ConnectError::Busy,
        Errno::EPROTOTYPE => ConnectError::WrongKind,
        Errno::EACCES | Errno::EPERM => ConnectError::NotPermitted,
        Errno::EPROTONOSUPPORT | Errno::ESOCKTNOSUPPORT => ConnectError::Unsupported,
        error => ConnectError::Os(OsError::nix(call, error)),
    }
}

/// Why nothing was accepted, received or sent, by the system's answer.
pub(super) fn pipe_error(call: &'static str, error: Errno) -> PipeError {
    match error {
        Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN => PipeError::PeerEnded,
        error => PipeError::Os(OsError::nix(call, error)),
    }
}
