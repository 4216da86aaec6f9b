//! Ending another thread's wait.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::error::{FromCall as _, OsError};

/// Ends a wait on the pipes and listeners that it was given to, from any thread.
///
/// One [`cancel`](Self::cancel) ends one call that may wait, with `Cancelled`: the one under way, or else
/// the next. Several before that count as one. Calls that never wait do not look at it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os_unix::pipe::{Canceller, PipeError, PipeListener, PipeName, PipeOptions};
///
/// # let name = &format!("doc-cancel-{}", std::process::id());
/// let canceller = Canceller::new()?;
/// let options = PipeOptions::new().canceller(&canceller);
/// let mut listener = PipeListener::bind(&PipeName::new(name)?, &options)?;
/// let other = std::thread::spawn(move || canceller.cancel());
/// assert_eq!(listener.accept_timeout(Duration::from_secs(60)).unwrap_err(), PipeError::Cancelled);
/// # other.join().unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Canceller(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    pull: UnixStream,
    look: UnixStream,
}

impl Canceller {
    /// A new one. It takes two descriptors.
    ///
    /// # Errors
    ///
    /// [`OsError`] if there are none left.
    pub fn new() -> Result<Self, OsError> {
        let failed = |error| OsError::io("socketpair", &error);
        let (pull, look) = UnixStream::pair().map_err(failed)?;
        pull.set_nonblocking(true).map_err(failed)?;
        look.set_nonblocking(true).map_err(failed)?;
        Ok(Self(Arc::new(Ends { pull, look })))
    }

    /// Ends one call.
    pub fn cancel(&self) {
        // No room means that it has been said often enough.
        let _ = (&self.0.pull).write(&[1]);
    }

    /// Whether it was used since the last look.
    pub(super) fn take(&self) -> bool {
        let mut seen = false;
        // As many as there can be: bounded by the socket's buffer, but for who pulls faster than this.
        for _ in 0..64 {
            match (&self.0.look).read(&mut [0; 64]) {
                Ok(len) if len > 0 => seen = true,
                _ => break,
            }
        }
        seen
    }

    /// What is readable when it was used.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.look.as_fd()
    }
}
