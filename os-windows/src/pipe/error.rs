//! The system's errors as a pipe sees them.

use strait_os_base::OsError;
use strait_os_base::pipe::{BindFailure, ConnectFailure, IoFailure};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_PIPE, ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA,
    ERROR_PIPE_BUSY, ERROR_PIPE_NOT_CONNECTED,
};

use crate::error::{FromCall as _, FromOs};

impl FromOs for BindFailure {
    /// Of the first instance: the system denies it if there is one already.
    fn from_os(error: OsError) -> Self {
        if error.is(ERROR_ACCESS_DENIED) || error.is(ERROR_PIPE_BUSY) {
            Self::AlreadyExists
        } else {
            Self::Os(error)
        }
    }
}

impl FromOs for ConnectFailure {
    fn from_os(error: OsError) -> Self {
        match error {
            error if error.is(ERROR_FILE_NOT_FOUND) => Self::NotFound,
            error if error.is(ERROR_PIPE_BUSY) => Self::Busy,
            error if error.is(ERROR_ACCESS_DENIED) => Self::NotPermitted,
            error => Self::Os(error),
        }
    }
}

impl FromOs for IoFailure {
    fn from_os(error: OsError) -> Self {
        let ended = [ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED, ERROR_NO_DATA, ERROR_BAD_PIPE];
        if ended.iter().any(|&code| error.is(code)) { Self::Ended } else { Self::Os(error) }
    }
}
