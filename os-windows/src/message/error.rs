//! What can go wrong with messages between windows.

use core::fmt;

use crate::error::OsError;

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

/// Why a message was not sent, or its answer not had.
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
