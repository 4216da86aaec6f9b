//! Why the system refused an operation on a pipe. `strait-os` makes its errors of these.

use crate::error::OsError;

/// Why a name is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindFailure {
    /// The name is taken.
    AlreadyExists,
    /// This user may not, or the directory is not safe. Never on Windows, which says that the name is taken.
    NotPermitted,
    /// The system has no such pipes. Never on Windows.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

impl From<OsError> for BindFailure {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
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
    /// The system has no such pipes. Never on Windows.
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
    /// The sender broke a message off. Never on Windows, which writes a message whole.
    Broken,
    /// The peer sends what this side never would. Never on Windows, which keeps messages apart.
    Fault,
    /// There is no such operation.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why the peer's rights were not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpersonateFailure {
    /// This process may not, or the client does not let it.
    NotPermitted,
    /// No process can. Never on Windows.
    Unsupported,
    /// Anything else.
    Os(OsError),
}
