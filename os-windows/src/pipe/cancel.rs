//! Ending another thread's wait.

use core::time::Duration;

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

use super::event::Event;

/// An event that is set by a cancel, and cleared by the wait that sees it.
#[derive(Debug)]
pub struct Canceller(Event);

/// How long a call waits.
pub type Wait<'a> = strait_os_base::pipe::Wait<'a, Canceller>;

impl Canceller {
    /// A new one.
    pub fn new() -> Result<Self, OsError> {
        Event::new(false).map(Self)
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

    /// Set when it is used, and cleared by the wait that sees it.
    pub(super) fn raw(&self) -> HANDLE {
        self.0.raw()
    }
}

/// Sleeps for `how_long`, or until it is cancelled: then true.
#[must_use]
pub fn nap(how_long: Duration, cancel: Option<&Canceller>) -> bool {
    match cancel {
        Some(cancel) => cancel.take_within(how_long.as_millis().max(1) as u32),
        None => {
            std::thread::sleep(how_long);
            false
        }
    }
}
