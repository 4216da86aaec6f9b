//! The error of a system call, for the error types of this crate to carry.

use core::fmt;
use std::io;

use windows_sys::Win32::Foundation::{ERROR_GEN_FAILURE, GetLastError};

/// A system call failed in a way that has no variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError {
    call: &'static str,
    code: u32,
}

impl OsError {
    pub(crate) const fn new(call: &'static str, code: u32) -> Self {
        Self { call, code }
    }

    /// The calling thread's last error. To be asked for before any other call.
    pub(crate) fn last(call: &'static str) -> Self {
        // SAFETY: it reads a number of the calling thread.
        Self::new(call, unsafe { GetLastError() })
    }

    /// The error of a call made through the standard library.
    pub(crate) fn io(call: &'static str, error: &io::Error) -> Self {
        Self::new(call, error.raw_os_error().map_or(ERROR_GEN_FAILURE, |code| code as u32))
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, code: u32) -> bool {
        self.code == code
    }

    /// The call that failed.
    #[must_use]
    pub fn call(&self) -> &'static str {
        self.call
    }

    /// The system's error number.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.code as i32
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, io::Error::from_raw_os_error(self.code()))
    }
}

impl core::error::Error for OsError {}
