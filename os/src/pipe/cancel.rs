//! Ending another thread's wait.

use core::time::Duration;
use std::sync::Arc;

use super::limit::Limit;
use crate::OsError;
use crate::sys;

/// Ends a wait on the pipes and listeners that it was given to, from any thread.
///
/// One [`cancel`](Self::cancel) ends one call that may wait, with `Cancelled`: the one under way, or else
/// the next. Several before that count as one. Calls that never wait do not look at it.
///
/// It is given to a client by [`PipeOptions::canceller`](super::PipeOptions::canceller), and to a handle that is
/// open by its `set_canceller`.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{Canceller, PipeError, PipeListener, PipeName, PipeOptions};
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
pub struct Canceller(Arc<sys::pipe::Canceller>);

impl Canceller {
    /// A new one. It takes two descriptors on Unix, one handle on Windows.
    ///
    /// # Errors
    ///
    /// [`OsError`] if there are none left.
    pub fn new() -> Result<Self, OsError> {
        Ok(Self(Arc::new(sys::pipe::Canceller::new()?)))
    }

    /// Ends one call.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// The canceller that a handle has now, if it has one.
#[derive(Clone, Debug)]
pub(super) struct Cancel(Option<Canceller>);

impl Cancel {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn by(canceller: Option<&Canceller>) -> Self {
        Self(canceller.cloned())
    }

    /// A wait with this limit, as the system's functions take it.
    pub(super) fn wait(&self, limit: Limit) -> sys::pipe::Wait<'_> {
        sys::pipe::Wait { until: limit.until(), cancel: self.system() }
    }

    fn system(&self) -> Option<&sys::pipe::Canceller> {
        self.0.as_ref().map(|canceller| &*canceller.0)
    }

    /// Sleeps for `how_long`, or until it is cancelled: then true.
    pub(super) fn nap(&self, how_long: Duration) -> bool {
        sys::pipe::nap(how_long, self.system())
    }
}
