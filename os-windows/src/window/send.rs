//! Sending to somebody's window.

use core::ptr::{null, null_mut};
use core::time::Duration;

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_WINDOW_HANDLE, ERROR_TIMEOUT, HWND, SetLastError,
};
use windows_sys::Win32::System::DataExchange::COPYDATASTRUCT;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    FindWindowExW, HWND_MESSAGE, PostMessageW, SMTO_ABORTIFHUNG, SMTO_ERRORONEXIT, SendMessageTimeoutW,
    WM_COPYDATA,
};

use super::is_for_programs;
use crate::error::FromCall as _;
use crate::wide::wide;

/// Why a message was not sent, or its answer not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// It was not handled in time.
    TimedOut,
    /// The window is no more.
    Gone,
    /// The receiver has more rights.
    NotPermitted,
    /// The data is longer than a message's length can express.
    TooLarge,
    /// The message's numbers may be addresses.
    NotForPrograms,
    /// Anything else.
    Os(OsError),
}

/// Somebody's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote(HWND);

// SAFETY: it is a number that any thread may send to.
unsafe impl Send for Remote {}
// SAFETY: as above.
unsafe impl Sync for Remote {}

impl Remote {
    /// The first window of this class and this title, of those that only receive messages first.
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

    /// The window of this number.
    #[must_use]
    pub const fn from_raw(window: HWND) -> Self {
        Self(window)
    }

    /// Sends a tag and bytes (`WM_COPYDATA`), and returns the receiver's answer.
    pub fn send_data(&self, tag: usize, bytes: &[u8], timeout: Duration) -> Result<isize, SendFailure> {
        let len = i32::try_from(bytes.len()).map_err(|_| SendFailure::TooLarge)?;
        let data = COPYDATASTRUCT {
            dwData: tag,
            cbData: len as u32,
            lpData: bytes.as_ptr().cast_mut().cast(), // The system only reads it.
        };
        // SAFETY: the data and its bytes live until the call is over, and the message is the one that takes them.
        unsafe { self.send_raw(WM_COPYDATA, 0, (&raw const data) as isize, timeout) }
    }

    /// Sends a message and two numbers, and returns the receiver's answer.
    pub fn send(
        &self,
        message: u32,
        first: usize,
        second: isize,
        timeout: Duration,
    ) -> Result<isize, SendFailure> {
        if !is_for_programs(message) {
            return Err(SendFailure::NotForPrograms);
        }
        // SAFETY: such a message has no addresses in it, as far as the system knows.
        unsafe { self.send_raw(message, first, second, timeout) }
    }

    /// Leaves a message and two numbers for the receiver.
    pub fn post(&self, message: u32, first: usize, second: isize) -> Result<(), SendFailure> {
        if !is_for_programs(message) {
            return Err(SendFailure::NotForPrograms);
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
    ) -> Result<isize, SendFailure> {
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

fn explain(error: OsError) -> SendFailure {
    match error {
        // The system reports a hung receiver without an error number.
        error if error.is(ERROR_TIMEOUT) || error.is(0) => SendFailure::TimedOut,
        error if error.is(ERROR_INVALID_WINDOW_HANDLE) => SendFailure::Gone,
        error if error.is(ERROR_ACCESS_DENIED) => SendFailure::NotPermitted,
        error => SendFailure::Os(error),
    }
}
