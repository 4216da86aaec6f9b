//! Telling a forked child by its process id; there are no tokens to close.

use strait_os_base::OsError;

/// The process in which something was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(u32);

impl Origin {
    /// This process.
    pub(crate) fn here() -> Result<Self, OsError> {
        Ok(Self(std::process::id()))
    }

    /// Whether this is a forked child of that process.
    pub(crate) fn left(self) -> bool {
        self.0 != std::process::id()
    }
}
