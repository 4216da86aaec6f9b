//! Why the scheduler refused.

use crate::error::OsError;

/// Why the scheduler refused; `strait_os::rt::RtError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// No such priority.
    Priority {
        /// The lowest there is.
        lowest: i32,
        /// The highest there is.
        highest: i32,
    },
    /// Denied.
    NotPermitted,
    /// No such CPU.
    Cpu {
        /// The first such CPU.
        cpu: usize,
    },
    /// There is no such thing here.
    Unsupported,
    /// Anything else.
    Os(OsError),
}
