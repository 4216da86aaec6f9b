//! The system's errors as a pipe sees them. `strait_os` makes its own errors of these.

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_PIPE, ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA,
    ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED,
};

use crate::error::{FromCall as _, OsError};

/// Why a name is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindFailure {
    /// The name is taken.
    AlreadyExists,
    /// Never on Windows, which reports it like a name that is taken.
    NotPermitted,
    /// Never here.
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
    /// Never here.
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
    /// Never here: a message is written whole.
    Broken,
    /// Never here: the system keeps messages apart.
    Fault,
    /// There is no such operation.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why the peer's rights were not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpersonateFailure {
    /// The client does not let this process.
    NotPermitted,
    /// Never here.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

impl BindFailure {
    /// Of the first instance: the system denies it if there is one already.
    pub(super) fn first(error: OsError) -> Self {
        if error.is(ERROR_ACCESS_DENIED) || error.is(ERROR_PIPE_BUSY) {
            Self::AlreadyExists
        } else {
            Self::Os(error)
        }
    }
}

impl ConnectFailure {
    pub(super) fn new(error: OsError) -> Self {
        match error {
            error if error.is(ERROR_FILE_NOT_FOUND) => Self::NotFound,
            error if error.is(ERROR_PIPE_BUSY) => Self::Busy,
            error if error.is(ERROR_ACCESS_DENIED) => Self::NotPermitted,
            error => Self::Os(error),
        }
    }
}

impl IoFailure {
    pub(super) fn new(error: OsError) -> Self {
        let ended = [ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED, ERROR_NO_DATA, ERROR_BAD_PIPE];
        if ended.iter().any(|&code| error.is(code)) { Self::Ended } else { Self::Os(error) }
    }
}
