//! The error of a system call.

use core::fmt;
use std::io;

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

    /// The error of a call made through the standard library.
    #[must_use]
    pub fn io(call: &'static str, error: &io::Error) -> Self {
        Self { call, code: error.raw_os_error().unwrap_or(crate::UNNUMBERED) }
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
