//! The system's errors as a pipe sees them.

use nix::errno::Errno;
use strait_os_base::OsError;
use strait_os_base::pipe::{BindFailure, ConnectFailure, IoFailure};

/// What the system's answer means.
pub(super) trait FromErrno: Sized {
    /// Why this call failed.
    fn new(call: &'static str, error: Errno) -> Self;

    /// Why this call of the standard library failed.
    fn io(call: &'static str, error: &std::io::Error) -> Self {
        Self::new(call, Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO)))
    }
}

impl FromErrno for BindFailure {
    fn new(call: &'static str, error: Errno) -> Self {
        match error {
            Errno::EADDRINUSE => Self::AlreadyExists,
            Errno::EACCES | Errno::EPERM => Self::NotPermitted,
            Errno::EPROTONOSUPPORT | Errno::ESOCKTNOSUPPORT => Self::Unsupported,
            error => Self::Os(OsError::new(call, error as i32)),
        }
    }
}

impl FromErrno for ConnectFailure {
    fn new(call: &'static str, error: Errno) -> Self {
        match error {
            // Refused: a socket that a dead server left.
            Errno::ENOENT | Errno::ECONNREFUSED => Self::NotFound,
            Errno::EAGAIN => Self::Busy,
            Errno::EPROTOTYPE => Self::WrongKind,
            Errno::EACCES | Errno::EPERM => Self::NotPermitted,
            Errno::EPROTONOSUPPORT | Errno::ESOCKTNOSUPPORT => Self::Unsupported,
            error => Self::Os(OsError::new(call, error as i32)),
        }
    }
}

impl FromErrno for IoFailure {
    fn new(call: &'static str, error: Errno) -> Self {
        match error {
            Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN => Self::Ended,
            error => Self::Os(OsError::new(call, error as i32)),
        }
    }
}
