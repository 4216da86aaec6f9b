//! How the system's answers become the error of a call.

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::GetLastError;

/// An error by what was asked for it, and the system's numbers, which are unsigned here.
pub(crate) trait FromCall {
    /// The error of this number.
    fn numbered(call: &'static str, code: u32) -> Self;

    /// The calling thread's last error. To be asked for before any other call.
    fn last(call: &'static str) -> Self;

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

    fn is(&self, code: u32) -> bool {
        self.code() as u32 == code
    }
}

/// What the error of a call means to an operation.
pub(crate) trait FromOs {
    /// Why the operation failed.
    fn from_os(error: OsError) -> Self;
}
