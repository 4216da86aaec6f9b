//! The error of a system call.

use core::fmt;
use std::io;

use windows_sys::Win32::Foundation::{ERROR_GEN_FAILURE, GetLastError};

/// A system call failed in a way that has no variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError {
    call: &'static str,
    code: i32,
}

impl OsError {
    /// The error of this call, by the system's number.
    #[must_use]
    pub const fn new(call: &'static str, code: i32) -> Self {
        Self { call, code }
    }

    /// The call that failed.
    #[must_use]
    pub fn call(&self) -> &'static str {
        self.call
    }

    /// The system's error number.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.code
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, io::Error::from_raw_os_error(self.code))
    }
}

impl core::error::Error for OsError {}

/// An error by what was asked for it, and the system's numbers, which are unsigned here.
pub(crate) trait FromCall {
    /// The error of this number.
    fn numbered(call: &'static str, code: u32) -> Self;

    /// The calling thread's last error. To be asked for before any other call.
    fn last(call: &'static str) -> Self;

    /// The error of a call made through the standard library.
    fn io(call: &'static str, error: &io::Error) -> Self;

    /// Whether it is this one.
    fn is(&self, code: u32) -> bool;
}

impl FromCall for OsError {
    fn numbered(call: &'static str, code: u32) -> Self {
        Self::new(call, code as i32)
    }

    fn last(call: &'static str) -> Self {
        // SAFETY: it reads a number of the calling thread.
        Self::numbered(call, unsafe { GetLastError() })
    }

    fn io(call: &'static str, error: &io::Error) -> Self {
        Self::numbered(call, error.raw_os_error().map_or(ERROR_GEN_FAILURE, |code| code as u32))
    }

    fn is(&self, code: u32) -> bool {
        self.code() as u32 == code
    }
}
