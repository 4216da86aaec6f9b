//! How the system's answers become the error of a call.

use std::io;

pub use strait_os_base::OsError;

/// An error by what was asked for it.
pub(crate) trait FromCall {
    /// The error of a call made through the standard library.
    fn io(call: &'static str, error: &io::Error) -> Self;

    /// The error of a call made through nix.
    fn nix(call: &'static str, error: nix::Error) -> Self;
}

impl FromCall for OsError {
    fn io(call: &'static str, error: &io::Error) -> Self {
        Self::new(call, error.raw_os_error().unwrap_or(nix::libc::EIO))
    }

    fn nix(call: &'static str, error: nix::Error) -> Self {
        Self::new(call, error as i32)
    }
}
