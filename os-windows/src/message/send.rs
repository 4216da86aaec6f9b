//! Sending to somebody's window.

use core::ptr::{null, null_mut};
use core::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_WINDOW_HANDLE, ERROR_TIMEOUT, HWND, SetLastError,
};
use windows_sys::Win32::System::DataExchange::COPYDATASTRUCT;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    FindWindowExW, HWND_MESSAGE, PostMessageW, SMTO_ABORTIFHUNG, SMTO_ERRORONEXIT, SendMessageTimeoutW,
    WM_COPYDATA,
};

use super::error::WindowSendError;
use super::is_for_programs;
use crate::error::{FromCall as _, OsError};
use crate::wide::wide;

/// Somebody's window. It may be gone at any time, and its number be another's later: find it anew after a
/// `Gone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteWindow(HWND);

// SAFETY: it is a number that any thread may send to.
unsafe impl Send for RemoteWindow {}
// SAFETY: as above.
unsafe impl Sync for RemoteWindow {}

impl RemoteWindow {
    /// The first window of this class and this title; either may be left open. Windows that only receive
    /// messages are looked at first, then those of the desktop.
    #[must_use]
    pub fn find(class: Option<&str>, title: Option<&str>) -> Option<Self> {
        let (class, title) = (class.map(wide), title.map(wide));
        let text = |text: &Option<Vec<u16>>| text.as_ref().map_or(null(), |text| text.as_ptr());
        for parent in [HWND_MESSAGE, null_mut()] {
            // SAFETY: the texts end in zeros, or are left out.
            let found = unsafe { FindWindowExW(parent, null_mut(), text(&class), text(&title)) };
            if !found.is_null() {
                return Some(Self(found));
            }
        }
        None
    }

    /// The window of this number, as the system counts.
    #[must_use]
    pub const fn from_raw(window: HWND) -> Self {
        Self(window)
    }

    /// Sends a tag and bytes (`WM_COPYDATA`), and answers with what the receiver made of them; waits up to
    /// `timeout` for that. The receiver gets a copy.
    ///
    /// # Errors
    ///
    /// [`WindowSendError`].
    pub fn send_data(&self, tag: usize, bytes: &[u8], timeout: Duration) -> Result<isize, WindowSendError> {
        let len = i32::try_from(bytes.len()).map_err(|_| WindowSendError::TooLarge)?;
        let data = COPYDATASTRUCT {
            dwData: tag,
            cbData: len as u32,
            lpData: bytes.as_ptr().cast_mut().cast(), // The system only reads it.
        };
        // SAFETY: the data and its bytes live until the call is over, and the message is the one that says so.
        unsafe { self.send_raw(WM_COPYDATA, 0, (&raw const data) as isize, timeout) }
    }

    /// Sends a message and two numbers, and answers with what the receiver made of them; waits up to
    /// `timeout` for that.
    ///
    /// # Errors
    ///
    /// [`WindowSendError`]; `NotForPrograms` unless the message is from 0x400 to 0xFFFF.
    pub fn send(
        &self,
        message: u32,
        first: usize,
        second: isize,
        timeout: Duration,
    ) -> Result<isize, WindowSendError> {
        if !is_for_programs(message) {
            return Err(WindowSendError::NotForPrograms);
        }
        // SAFETY: such a message has no addresses in it, as far as the system knows.
        unsafe { self.send_raw(message, first, second, timeout) }
    }

    /// Leaves a message and two numbers for the receiver, and does not wait.
    ///
    /// # Errors
    ///
    /// [`WindowSendError`]; `NotForPrograms` unless the message is from 0x400 to 0xFFFF.
    pub fn post(&self, message: u32, first: usize, second: isize) -> Result<(), WindowSendError> {
        if !is_for_programs(message) {
            return Err(WindowSendError::NotForPrograms);
        }
        // SAFETY: such a message has no addresses in it, as far as the system knows.
        if unsafe { PostMessageW(self.0, message, first, second) } == 0 {
            return Err(explain(OsError::last("PostMessage")));
        }
        Ok(())
    }

    /// # Safety
    ///
    /// The numbers must be what the system expects of that message, for as long as the call lasts.
    unsafe fn send_raw(
        &self,
        message: u32,
        first: usize,
        second: isize,
        timeout: Duration,
    ) -> Result<isize, WindowSendError> {
        // The longest that the call can wait, and at least something, as 0 is not said to be nothing.
        let millis = timeout.as_micros().div_ceil(1000).clamp(1, i32::MAX as u128) as u32;
        let flags = SMTO_ABORTIFHUNG | SMTO_ERRORONEXIT;
        let mut answer = 0;
        // SAFETY: it sets a number of the calling thread, which not every failure of the call does.
        unsafe { SetLastError(0) };
        // SAFETY: the caller's promise, and the pointer is a local's.
        let done =
            unsafe { SendMessageTimeoutW(self.0, message, first, second, flags, millis, &raw mut answer) };
        if done != 0 { Ok(answer as isize) } else { Err(explain(OsError::last("SendMessageTimeout"))) }
    }
}

fn explain(error: OsError) -> WindowSendError {
    match error {
        // A hung receiver is said to be so without a number.
        error if error.is(ERROR_TIMEOUT) || error.is(0) => WindowSendError::TimedOut,
        error if error.is(ERROR_INVALID_WINDOW_HANDLE) => WindowSendError::Gone,
        error if error.is(ERROR_ACCESS_DENIED) => WindowSendError::NotPermitted,
        error => WindowSendError::Os(error),
    }
}
