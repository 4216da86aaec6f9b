//! Why there is no listener, and what the system's errors mean to a pipe. The other errors are the same on
//! every system, in `strait_os`.

use core::fmt;

use strait_os_common::pipe::{ConnectError, PipeError};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_PIPE, ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA,
    ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED,
};

use crate::error::{FromCall as _, OsError};

/// Why a listener could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody serves this name already.
    AlreadyExists,
    /// This user may not.
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
    /// Of the first instance: the system denies it if there is one already.
    pub(super) fn first(error: OsError) -> Self {
        if error.is(ERROR_ACCESS_DENIED) || error.is(ERROR_PIPE_BUSY) {
            Self::AlreadyExists
        } else {
            Self::Os(error)
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => f.write_str("somebody serves this name already; take another one"),
            Self::NotPermitted => f.write_str("this user may not serve there; take another name"),
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
pub(super) fn connect_error(error: OsError) -> ConnectError {
    match error {
        error if error.is(ERROR_FILE_NOT_FOUND) => ConnectError::NotFound,
        error if error.is(ERROR_PIPE_BUSY) => ConnectError::Busy,
        error if error.is(ERROR_ACCESS_DENIED) => ConnectError::NotPermitted,
        error => ConnectError::Os(error),
    }
}

/// Why nothing was accepted, received or sent, by the system's answer.
pub(super) fn pipe_error(error: OsError) -> PipeError {
    let ended = [ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED, ERROR_NO_DATA, ERROR_BAD_PIPE];
    if ended.iter().any(|&code| error.is(code)) { PipeError::PeerEnded } else { PipeError::Os(error) }
}
