//! Messages between windows, `WM_COPYDATA` above all: for meeting programs that talk so. Only on Windows.
//!
//! A [`MessageWindow`] receives; it is never seen, and needs no display. A [`RemoteWindow`] is somebody's
//! window to send to, found by its class or title.
//!
//! | | the sender waits | carries |
//! | --- | --- | --- |
//! | [`send_data`](RemoteWindow::send_data) (`WM_COPYDATA`) | until it is handled, or its time is over | a tag and bytes, which the system copies |
//! | [`send`](RemoteWindow::send) (`SendMessageTimeout`) | until it is handled, or its time is over | two numbers |
//! | [`post`](RemoteWindow::post) (`PostMessage`) | not at all | two numbers |
//!
//! # Guarantees
//!
//! - Every call has a bound. A receiver that does not handle its messages costs the sender its time-out.
//! - The receiver sees a copy, and never the sender's memory; it may not write to it either.
//!
//! # If a peer dies
//!
//! The sender gets [`WindowSendError::Gone`], or `TimedOut` if it died with the message in hand.
//!
//! # If a peer misbehaves
//!
//! Any program of the same desktop and of no lower rights can send anything, under any name: neither sender
//! nor tag prove the sender's identity. Treat every message as a stranger's.
//!
//! # Under wine 8
//!
//! Of programs that start while wine's desktop does, some get no window, ever (`CreateWindowEx` fails without a
//! reason); started again, they do.
//!
//! # When not to use it
//!
//! Between programs of one's own: a pipe identifies its peer, and a region is faster.

use core::ffi::c_void;
use core::fmt;
use core::time::Duration;

use crate::OsError;
use crate::sys::window::{Incoming, Remote, SendFailure, Window};

/// A received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowMessage<'a> {
    /// `WM_COPYDATA`: a tag and bytes. The sender waits for the answer; the bytes are gone after it.
    Data {
        /// The sender's tag.
        tag: usize,
        /// A copy of the sender's bytes.
        bytes: &'a [u8],
    },
    /// Another message that is left to programs (0x400 to 0xFFFF), sent or posted. A sender that has only posted
    /// it sees no answer.
    Numbers {
        /// The message.
        message: u32,
        /// Its first number (`wParam`).
        first: usize,
        /// Its second number (`lParam`).
        second: isize,
    },
}

/// A window that only receives messages, found by others by its class. It belongs to the thread that made
/// it, and receives while that thread [pumps](Self::pump_timeout): outside of that its senders wait.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::windows::window::{MessageWindow, RemoteWindow, WindowMessage};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// let mut window = MessageWindow::create("ExampleOfWindow")?;
/// let sender = std::thread::spawn(|| {
///     let window = RemoteWindow::find(Some("ExampleOfWindow"), None).expect("it is there");
///     window.send_data(7, b"hello", LIMIT)
/// });
/// window.pump_timeout(LIMIT, |message| {
///     assert_eq!(message, WindowMessage::Data { tag: 7, bytes: b"hello" });
///     42
/// })?;
/// assert_eq!(sender.join().unwrap(), Ok(42));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MessageWindow(Window);

impl MessageWindow {
    /// Makes a window whose class, and title, is `name`. Any number of windows can have the same.
    ///
    /// # Errors
    ///
    /// [`WindowError`].
    pub fn create(name: &str) -> Result<Self, WindowError> {
        if name.is_empty() || name.len() > 200 || name.contains('\0') {
            return Err(WindowError::Name);
        }
        Window::create(name).map(Self).map_err(WindowError::Os)
    }

    /// Waits up to `timeout` for a message, and hands all that are there to `handler`, whose answer goes to
    /// the sender. Other windows of this thread get their messages as well. Returns how many came: at
    /// least one.
    ///
    /// A panic of the handler answers 0 to the sender, and to those whose messages come in the same moment, and
    /// goes on here.
    ///
    /// # Errors
    ///
    /// [`WindowError`]; `TimedOut` if none came.
    pub fn pump_timeout(
        &mut self,
        timeout: Duration,
        mut handler: impl FnMut(WindowMessage<'_>) -> isize,
    ) -> Result<usize, WindowError> {
        let handled = self.0.pump(timeout, |incoming| {
            handler(match incoming {
                Incoming::Data(tag, bytes) => WindowMessage::Data { tag, bytes },
                Incoming::Numbers(message, first, second) => {
                    WindowMessage::Numbers { message, first, second }
                }
            })
        });
        match handled {
            Ok(0) => Err(WindowError::TimedOut),
            Ok(count) => Ok(count),
            Err(error) => Err(WindowError::Os(error)),
        }
    }
}

/// Somebody's window. It may be gone at any time, and its number be another's later: find it anew after a
/// `Gone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteWindow(Remote);

impl RemoteWindow {
    /// The first window of this class and this title; either may be left open. Windows that only receive
    /// messages are looked at first, then those of the desktop.
    #[must_use]
    pub fn find(class: Option<&str>, title: Option<&str>) -> Option<Self> {
        Remote::find(class, title).map(Self)
    }

    /// The window of this number (`HWND`), as the system counts.
    #[must_use]
    pub const fn from_raw(window: *mut c_void) -> Self {
        Self(Remote::from_raw(window))
    }

    /// Sends a tag and bytes (`WM_COPYDATA`), and returns the receiver's answer; waits up to `timeout` for that.
    /// The receiver gets a copy.
    ///
    /// # Errors
    ///
    /// [`WindowSendError`].
    pub fn send_data(&self, tag: usize, bytes: &[u8], timeout: Duration) -> Result<isize, WindowSendError> {
        Ok(self.0.send_data(tag, bytes, timeout)?)
    }

    /// Sends a message and two numbers, and returns the receiver's answer; waits up to `timeout` for that.
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
        Ok(self.0.send(message, first, second, timeout)?)
    }

    /// Leaves a message and two numbers for the receiver, and does not wait.
    ///
    /// # Errors
    ///
    /// [`WindowSendError`]; `NotForPrograms` unless the message is from 0x400 to 0xFFFF.
    pub fn post(&self, message: u32, first: usize, second: isize) -> Result<(), WindowSendError> {
        Ok(self.0.post(message, first, second)?)
    }
}

/// Why a window for messages could not be made or pumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowError {
    /// The name is empty, longer than 200 bytes, or holds a NUL.
    Name,
    /// Nothing came for the time allowed.
    TimedOut,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("a window's name has 1 to 200 bytes and no NUL"),
            Self::TimedOut => f.write_str("no message came for the time allowed"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WindowError {}

/// Why a message was not sent, or its answer not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowSendError {
    /// The receiver has not handled it for the time allowed, or has not looked at any message for so long
    /// that the system takes it for hung. It may still handle it.
    TimedOut,
    /// The window is no more.
    Gone,
    /// The receiver has more rights than this process, and the system lets none of its messages through.
    NotPermitted,
    /// The data is longer than 2^31 - 1 bytes.
    TooLarge,
    /// The message is one of the system's (below 0x400), whose numbers may be addresses.
    NotForPrograms,
    /// Some other error of the system.
    Os(OsError),
}

impl From<SendFailure> for WindowSendError {
    fn from(failure: SendFailure) -> Self {
        match failure {
            SendFailure::TimedOut => Self::TimedOut,
            SendFailure::Gone => Self::Gone,
            SendFailure::NotPermitted => Self::NotPermitted,
            SendFailure::TooLarge => Self::TooLarge,
            SendFailure::NotForPrograms => Self::NotForPrograms,
            SendFailure::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for WindowSendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => {
                f.write_str("the receiver has not handled it for the time allowed; it may still")
            }
            Self::Gone => f.write_str("the window is gone; find it again"),
            Self::NotPermitted => {
                f.write_str("the receiver has more rights than this process, and cannot be sent to")
            }
            Self::TooLarge => f.write_str("the data is longer than a message can carry; divide it"),
            Self::NotForPrograms => {
                f.write_str("this message is the system's; take one from 0x400 to 0xFFFF")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WindowSendError {}
