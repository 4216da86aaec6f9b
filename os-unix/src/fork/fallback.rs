//! Telling a forked child by its process id; its copies of descriptors stay open.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use strait_os_base::OsError;

/// A descriptor that is used in the process that opened it alone. A forked child has a copy that it does not use.
#[derive(Debug)]
pub(crate) struct Token {
    fd: OwnedFd,
    origin: Origin,
}

impl Token {
    /// Opens the descriptor.
    pub(crate) fn alone<E: From<OsError>>(open: impl FnOnce() -> Result<OwnedFd, E>) -> Result<Self, E> {
        Ok(Self { origin: Origin::here()?, fd: open()? })
    }

    /// Uses the descriptor; `None` in a forked child.
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(BorrowedFd<'_>) -> R) -> Option<R> {
        (!self.origin.left()).then(|| use_it(self.fd.as_fd()))
    }
}

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
