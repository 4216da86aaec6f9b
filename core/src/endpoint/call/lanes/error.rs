//! Errors of serving several clients.

use core::fmt;

use crate::endpoint::call::ServeError;
use crate::endpoint::lanes::{RecvLanesError, TryRecvLanesError};
use crate::protocol::Violation;

/// Error of taking a request of several clients. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServeLanesError {
    /// There is no request in any lane now, but for those whose reply is kept; one may come.
    Empty,
    /// No request came in time.
    TimedOut,
    /// The region was [removed, or made anew](crate::port::Port::is_current), and no client is there: nobody can come to call
    /// in this one. Once a probe period, of waits alone.
    Replaced,
    /// The buffer's size differs from that of the channel's requests.
    WrongSize,
    /// A client wrote in its lane what no honest client writes. Returned once; after that the lane is left out, and the
    /// others go on.
    Fault {
        /// The lane.
        lane: u32,
        /// What is wrong in it.
        violation: Violation,
    },
}

impl From<TryRecvLanesError> for ServeLanesError {
    fn from(error: TryRecvLanesError) -> Self {
        match error {
            TryRecvLanesError::Fault { lane, violation } => Self::Fault { lane, violation },
            _ => Self::Empty,
        }
    }
}

impl From<RecvLanesError> for ServeLanesError {
    fn from(error: RecvLanesError) -> Self {
        match error {
            RecvLanesError::Fault { lane, violation } => Self::Fault { lane, violation },
            RecvLanesError::Replaced => Self::Replaced,
            _ => Self::TimedOut,
        }
    }
}

impl fmt::Display for ServeLanesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => ServeError::Empty.fmt(f),
            Self::Replaced => ServeError::Replaced.fmt(f),
            Self::TimedOut => ServeError::TimedOut.fmt(f),
            Self::WrongSize => ServeError::WrongSize.fmt(f),
            Self::Fault { lane, violation } => {
                write!(
                    f,
                    "the client in lane {lane} of the calls broke the protocol ({violation}); its lane is left out from \
                     now on"
                )
            }
        }
    }
}

impl core::error::Error for ServeLanesError {}
