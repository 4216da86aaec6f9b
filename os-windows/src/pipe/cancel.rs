//! Ending another thread's wait.

use std::sync::Arc;

use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

use super::event::Event;
use crate::error::OsError;

/// Ends a wait on the pipes and listeners that it was given to, from any thread.
///
/// One [`cancel`](Self::cancel) ends one call that may wait, with `Cancelled`: the one under way, or else
/// the next. Several before that count as one. Calls that never wait do not look at it.
#[derive(Clone, Debug)]
pub struct Canceller(Arc<Event>);

impl Canceller {
    /// A new one. It takes a handle.
    ///
    /// # Errors
    ///
    /// [`OsError`] if there are none left.
    pub fn new() -> Result<Self, OsError> {
        Ok(Self(Arc::new(Event::new(false)?)))
    }

    /// Ends one call.
    pub fn cancel(&self) {
        self.0.set();
    }

    /// Whether it was used since the last look, waiting that long for it.
    pub(super) fn take_within(&self, millis: u32) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.raw(), millis) == WAIT_OBJECT_0 }
    }

    /// What is set when it was used, and cleared by the wait that sees it.
    pub(super) fn raw(&self) -> HANDLE {
        self.0.raw()
    }
}
