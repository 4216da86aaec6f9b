//! Events, and waiting for one of two.

use core::ptr::null;
use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::time::Instant;

use strait_os_base::OsError;
use strait_os_base::pipe::IoFailure;
use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent, WaitForMultipleObjects};

use super::cancel::{Canceller, Wait};
use crate::error::FromCall as _;
use crate::security::own;

/// An event of the kernel without a name.
#[derive(Debug)]
pub(super) struct Event(OwnedHandle);

impl Event {
    /// One that stays set until an operation clears it (`manual`), or until a wait has seen it.
    pub(super) fn new(manual: bool) -> Result<Self, OsError> {
        // SAFETY: neither attributes nor a name are given.
        let event = unsafe { CreateEventW(null(), i32::from(manual), 0, null()) };
        if event.is_null() {
            return Err(OsError::last("CreateEvent"));
        }
        // SAFETY: the call made the handle, and nobody else knows it.
        Ok(Self(unsafe { own(event) }))
    }

    pub(super) fn set(&self) {
        // SAFETY: the handle is open; setting an event that we made does not fail.
        unsafe { SetEvent(self.raw()) };
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}

/// Waits for `done` or the canceller; if both are set, it is done.
///
/// # Errors
///
/// `OutOfTime`, `Cancelled`: it is not set.
pub(super) fn wait_for(done: &Event, wait: Wait<'_>) -> Result<(), IoFailure> {
    let cancel = if wait.until.is_none() { None } else { wait.cancel };
    // The first of them that is set is what the wait returns.
    let handles = [done.raw(), cancel.map_or(done.raw(), Canceller::raw)];
    let count = if cancel.is_some() { 2 } else { 1 };
    loop {
        // SAFETY: the count is the number of handles, which are open.
        let result = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, millis(wait.until)) };
        match result {
            WAIT_OBJECT_0 => return Ok(()),
            // Again, if the wait was a tick short, or cut to what the system can say.
            WAIT_TIMEOUT => in_time(wait.until)?,
            result if result == WAIT_OBJECT_0 + 1 => return Err(IoFailure::Cancelled),
            _ => return Err(IoFailure::Os(OsError::last("WaitForMultipleObjects"))),
        }
    }
}

/// The time that is left.
fn left(until: Option<Instant>) -> Duration {
    until.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()))
}

/// Says whether there is time left.
pub(super) fn in_time(until: Option<Instant>) -> Result<(), IoFailure> {
    if left(until).is_zero() { Err(IoFailure::OutOfTime) } else { Ok(()) }
}

/// The time that is left in milliseconds, rounded up, and limited to what the system can express.
fn millis(until: Option<Instant>) -> u32 {
    const MOST: u128 = 1 << 30;
    left(until).as_nanos().div_ceil(1_000_000).min(MOST) as u32
}
