//! Ending another thread's wait.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use strait_os_base::OsError;

use crate::fd;

/// Two ends of a socket: one byte in it for each cancel that nobody has seen.
#[derive(Debug)]
pub struct Canceller {
    pull: UnixStream,
    look: UnixStream,
}

/// How long a call waits.
pub type Wait<'a> = strait_os_base::pipe::Wait<'a, Canceller>;

impl Canceller {
    /// A new one.
    pub fn new() -> Result<Self, OsError> {
        let failed = |error| OsError::io("socketpair", &error);
        let (pull, look) = UnixStream::pair().map_err(failed)?;
        let (pull, look) = (fd::keep(pull).map_err(failed)?, fd::keep(look).map_err(failed)?);
        pull.set_nonblocking(true).map_err(failed)?;
        look.set_nonblocking(true).map_err(failed)?;
        Ok(Self { pull, look })
    }

    /// Ends one call.
    pub fn cancel(&self) {
        // No room means that it has been said often enough.
        let _ = (&self.pull).write(&[1]);
    }

    /// Whether it was used since the last look.
    pub(super) fn take(&self) -> bool {
        let mut seen = false;
        // As many as there can be: bounded by the socket's buffer, unless somebody cancels faster than this.
        for _ in 0..64 {
            match (&self.look).read(&mut [0; 64]) {
                Ok(len) if len > 0 => seen = true,
                _ => break,
            }
        }
        seen
    }

    /// The descriptor that is readable once it was used.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.look.as_fd()
    }
}
