//! The error of a system call.

use core::fmt;
use std::io;

/// A system call failed in a way that has no variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError {
    call: &'static str,
    code: i32,
    /// Whether `call` says all that a user must know, more than the number's text would.
    explained: bool,
}

impl OsError {
    /// A new region does not keep what is stored in it, although nobody else has it yet.
    pub const NOT_KEPT: Self = Self::explained(
        "the new region does not keep what is stored in it; check the memory or file system that it is in",
        crate::UNNUMBERED,
    );

    /// The error of this call, by the system's number.
    #[must_use]
    pub const fn new(call: &'static str, code: i32) -> Self {
        Self { call, code, explained: false }
    }

    /// The error of a call made through the standard library.
    #[must_use]
    pub fn io(call: &'static str, error: &io::Error) -> Self {
        Self::new(call, error.raw_os_error().unwrap_or(crate::UNNUMBERED))
    }

    /// An error whose text is this alone: what is wrong, and what to do. The number is for programs; its own text
    /// would mislead.
    #[must_use]
    pub const fn explained(text: &'static str, code: i32) -> Self {
        Self { call: text, code, explained: true }
    }

    /// The call that failed, or the explanation.
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
        if self.explained {
            return f.write_str(self.call);
        }
        write!(f, "{}: {}", self.call, io::Error::from_raw_os_error(self.code))
    }
}

impl core::error::Error for OsError {}
