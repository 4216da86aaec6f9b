//! Why the system refused an operation on a pipe. `strait-os` makes its errors of these.

use std::time::Instant;

use crate::error::OsError;

/// How long a call waits. `C` is what ends the wait of another thread.
#[derive(Debug)]
pub struct Wait<'a, C> {
    /// Until then; not at all if it is `None`.
    pub until: Option<Instant>,
    /// The canceller that can end the wait earlier.
    pub cancel: Option<&'a C>,
}

impl<C> Clone for Wait<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Wait<'_, C> {}

/// One end of a pipe of bytes.
pub trait Stream {
    /// What ends the wait of another thread.
    type Canceller;

    /// Reads at least one byte.
    ///
    /// # Errors
    ///
    /// [`IoFailure`]; `Ended` when nothing will come any more.
    fn read(&mut self, buf: &mut [u8], wait: Wait<'_, Self::Canceller>) -> Result<usize, IoFailure>;

    /// Writes at least one byte. On Windows it takes up to as many as the system keeps, once those before have gone.
    ///
    /// # Errors
    ///
    /// [`IoFailure`].
    fn write(&mut self, bytes: &[u8], wait: Wait<'_, Self::Canceller>) -> Result<usize, IoFailure>;

    /// Waits until the system has all that was written, which on Unix it always has.
    ///
    /// # Errors
    ///
    /// [`IoFailure`].
    fn flush(&mut self, wait: Wait<'_, Self::Canceller>) -> Result<(), IoFailure>;

    /// Whether a read would not wait.
    ///
    /// # Errors
    ///
    /// [`IoFailure::Os`].
    fn is_readable(&mut self) -> Result<bool, IoFailure>;

    /// Whether a write would not wait.
    ///
    /// # Errors
    ///
    /// [`IoFailure::Os`].
    fn is_writable(&mut self) -> Result<bool, IoFailure>;
}

/// The rights of a client that this thread has taken on.
pub trait ClientRights {
    /// Gives the thread its own rights back. Whether that worked.
    fn give_back(&mut self) -> bool;
}

/// A thread acts with a client's rights while it has this. Dropping it gives the thread its own rights back, or aborts,
/// because going on with the wrong ones would be worse. It must stay in its thread, which `strait-os` sees to.
#[derive(Debug)]
#[must_use = "the client's rights are given back when this is dropped"]
pub struct Impersonation<R: ClientRights>(pub R);

impl<R: ClientRights> Drop for Impersonation<R> {
    fn drop(&mut self) {
        if !self.0.give_back() {
            eprintln!("strait: this thread could not be given its own rights back; aborting");
            std::process::abort();
        }
    }
}

/// Why a name is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindFailure {
    /// The name is taken.
    AlreadyExists,
    /// This user may not, or the directory is not safe. Never on Windows, which says that the name is taken.
    NotPermitted,
    /// The system has no such pipes. Never on Windows.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

impl From<OsError> for BindFailure {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

/// Why nobody was connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nobody serves the name.
    NotFound,
    /// The server has no room.
    Busy,
    /// The server passes something else.
    WrongKind,
    /// The server is another user, or could be.
    WrongUser,
    /// The server does not let this user in.
    NotPermitted,
    /// The system has no such pipes. Never on Windows.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why nothing was accepted, received or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoFailure {
    /// The time is over, or there was none.
    OutOfTime,
    /// The canceller was used.
    Cancelled,
    /// The peer has ended.
    Ended,
    /// The sender broke a message off. Never on Windows, which writes a message whole.
    Broken,
    /// The peer sends what this side never would. Never on Windows, which keeps messages apart.
    Fault,
    /// There is no such operation.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why the peer's rights were not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpersonateFailure {
    /// This process may not, or the client does not let it.
    NotPermitted,
    /// No process can. Never on Windows.
    Unsupported,
    /// Anything else.
    Os(OsError),
}
