//! The error of a system call, for the error types of this crate to carry.

use core::fmt;
use std::io;

/// A system call failed in a way that has no variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError {
    call: &'static str,
    code: i32,
}

impl OsError {
    pub(crate) const fn new(call: &'static str, code: i32) -> Self {
        Self { call, code }
    }

    /// The error of a call made through the standard library.
    pub(crate) fn io(call: &'static str, error: &io::Error) -> Self {
        Self::new(call, error.raw_os_error().unwrap_or(nix::libc::EIO))
    }

    /// The error of a call made through nix.
    pub(crate) fn nix(call: &'static str, error: nix::Error) -> Self {
        Self::new(call, error as i32)
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
