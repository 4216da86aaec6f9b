//! The system's errors as a pipe sees them. `strait_os` makes its own errors of these.

use nix::errno::Errno;

use crate::error::{FromCall as _, OsError};

/// Why a name is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindFailure {
    /// The name is taken.
    AlreadyExists,
    /// This user may not, or the directory is not safe.
    NotPermitted,
    /// There are no such sockets.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why nobody was connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nobody serves the name.
    NotFound,
    /// The server has no room.
    Busy,
    /// The server passes something else.
    WrongKind,
    /// The server is another user, or could be.
    WrongUser,
    /// The server does not let this user in.
    NotPermitted,
    /// There are no such sockets.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why nothing was accepted, received or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoFailure {
    /// The time is over, or there was none.
    OutOfTime,
    /// The canceller was used.
    Cancelled,
    /// The peer has ended.
    Ended,
    /// The sender broke a message off.
    Broken,
    /// The peer sends what this side never would.
    Fault,
    /// There is no such operation.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why the peer's rights were not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpersonateFailure {
    /// This process may not.
    NotPermitted,
    /// No process can.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

impl BindFailure {
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

impl ConnectFailure {
    pub(super) fn new(call: &'static str, error: Errno) -> Self {
        match error {
            // Refused: a socket that a dead server left.
            Errno::ENOENT | Errno::ECONNREFUSED => Self::NotFound,
            Errno::EAGAIN => Self::Busy,
            Errno::EPROTOTYPE => Self::WrongKind,
            Errno::EACCES | Errno::EPERM => Self::NotPermitted,
            Errno::EPROTONOSUPPORT | Errno::ESOCKTNOSUPPORT => Self::Unsupported,
            error => Self::Os(OsError::nix(call, error)),
        }
    }
}

impl IoFailure {
    pub(super) fn new(call: &'static str, error: Errno) -> Self {
        match error {
            Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN => Self::Ended,
            error => Self::Os(OsError::nix(call, error)),
        }
    }
}
