//! Errors of pipes: one enum per operation.

use core::fmt;

use strait_os_base::pipe::{BindFailure, ConnectFailure, ImpersonateFailure};

use crate::OsError;

/// Why a listener could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody serves this name already.
    AlreadyExists,
    /// This user may not, or the directory of pipes is not safe to use. Does not occur on Windows, which says
    /// `AlreadyExists` of a name that it denies.
    NotPermitted,
    /// The options ask for no instance, or for more than 253.
    Instances {
        /// How many were asked for.
        asked: u32,
    },
    /// This system has no such pipes. Occurs on macOS, for pipes of messages.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl From<BindFailure> for BindError {
    fn from(failure: BindFailure) -> Self {
        match failure {
            BindFailure::AlreadyExists => Self::AlreadyExists,
            BindFailure::NotPermitted => Self::NotPermitted,
            BindFailure::Unsupported => Self::Unsupported,
            BindFailure::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => f.write_str("somebody serves a pipe of this name already; take another name"),
            Self::NotPermitted => f.write_str(
                "this user may not serve there: its directory of pipes (strait-pipes-<uid> or strait-public-pipes-<uid>, in \
                 /dev/shm on Linux, else in /tmp) must be its own, and no one else's to write",
            ),
            Self::Instances { asked } => {
                write!(f, "a pipe's listener must serve 1 to 253 clients at once, not {asked}")
            }
            Self::Unsupported => f.write_str("this system has no pipes of messages; use one of bytes"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for BindError {}

/// Why a client could not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// No server of this name was found before the time was over.
    NotFound,
    /// The server had no room for another client before the time was over.
    Busy,
    /// The server passes bytes and the client messages, or the other way round.
    WrongKind,
    /// The server is not the user that the options name, or its user cannot be found out.
    WrongUser,
    /// The server does not let this user in.
    NotPermitted,
    /// The canceller was used.
    Cancelled,
    /// This system has no such pipes. Occurs on macOS, for pipes of messages.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl From<ConnectFailure> for ConnectError {
    fn from(failure: ConnectFailure) -> Self {
        match failure {
            ConnectFailure::NotFound => Self::NotFound,
            ConnectFailure::Busy => Self::Busy,
            ConnectFailure::WrongKind => Self::WrongKind,
            ConnectFailure::WrongUser => Self::WrongUser,
            ConnectFailure::NotPermitted => Self::NotPermitted,
            ConnectFailure::Unsupported => Self::Unsupported,
            ConnectFailure::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => {
                f.write_str("nobody serves a pipe of this name; start the server, or allow more time")
            }
            Self::Busy => f.write_str("the pipe's server has no room for another client; allow more time"),
            Self::WrongKind => {
                f.write_str("one side of the pipe passes bytes, the other messages; use the same type")
            }
            Self::WrongUser => {
                f.write_str("the pipe's server is another user than the options name; do not trust it")
            }
            Self::NotPermitted => {
                f.write_str("the pipe's server does not let this user in; have it serve the public")
            }
            Self::Cancelled => f.write_str("the wait for the pipe was cancelled"),
            Self::Unsupported => f.write_str("this system has no pipes of messages; use one of bytes"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConnectError {}

/// Why nothing was accepted, received or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipeError {
    /// It would have to wait, and must not.
    NotReady,
    /// Nothing happened for the time allowed.
    TimedOut,
    /// The canceller was used.
    Cancelled,
    /// The other side has closed the pipe, or its half of it, or has ended, however. All that it sent
    /// was received.
    PeerEnded,
    /// The sender broke a message off in the middle; what was received of it is void. The next call goes
    /// on with the next message. Does not occur on Windows.
    Broken,
    /// The message is longer than [`MAX_MESSAGE`](super::MAX_MESSAGE).
    TooLarge,
    /// The other side sends what this side cannot; every later call returns this too. Does not occur on
    /// Windows.
    Fault,
    /// This system, or this kind of pipe, cannot do that. Occurs on Windows, for half closes.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady => f.write_str("the pipe is not ready; try again later"),
            Self::TimedOut => f.write_str("nothing happened on the pipe for the time allowed"),
            Self::Cancelled => f.write_str("the wait for the pipe was cancelled"),
            Self::PeerEnded => f.write_str("the other side has closed the pipe, or has ended; connect again"),
            Self::Broken => f.write_str("the sender broke the message off; discard the parts received of it"),
            Self::TooLarge => f.write_str("the message is longer than 16 MiB; divide it"),
            Self::Fault => f.write_str(
                "the other side breaks the rules of this pipe; close it, and check what serves it",
            ),
            Self::Unsupported => {
                f.write_str("this system, or this kind of pipe, has no half closes; close both halves")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PipeError {}

/// Why the peer's rights could not be taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImpersonateError {
    /// The system does not let this process act as the peer: on Unix only root may act as another user,
    /// on Windows the client must have allowed it when it connected.
    NotPermitted,
    /// This thread acts for a client already.
    Nested,
    /// This system cannot do that for another user. Occurs on macOS and FreeBSD.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl From<ImpersonateFailure> for ImpersonateError {
    fn from(failure: ImpersonateFailure) -> Self {
        match failure {
            ImpersonateFailure::NotPermitted => Self::NotPermitted,
            ImpersonateFailure::Unsupported => Self::Unsupported,
            ImpersonateFailure::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for ImpersonateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted => f.write_str(
                "this process may not act as the peer; run the server as root (Unix), or let the client \
                 allow it when it connects (Windows)",
            ),
            Self::Nested => f.write_str(
                "this thread acts for a client already; drop that guard before the thread acts for another",
            ),
            Self::Unsupported => f.write_str("this system cannot act as another user in one thread alone; serve each user by a process of its own"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ImpersonateError {}
