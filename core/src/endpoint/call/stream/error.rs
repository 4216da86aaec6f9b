//! Why a part of an answer was not sent.

use core::fmt;

use crate::protocol::Violation;

/// Error of sending a part. It was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartError {
    /// The client has not read so many parts that there is no room for this one now.
    Full,
    /// There was no room in time.
    TimedOut,
    /// The client wants no more: it has cancelled the call, or wants no answer to it.
    Cancelled,
    /// The part's size differs from that of the channel's parts.
    WrongSize,
    /// The client wrote what no honest client writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "the client of the call has not read the parts that were sent; try again later, or plan for more parts",
            ),
            Self::TimedOut => {
                f.write_str("the client of the call read no part in the time allowed; try again, or refuse the request")
            }
            Self::Cancelled => f.write_str("the client has cancelled the call; end it or drop the reply"),
            Self::WrongSize => {
                f.write_str("the part does not have the size of the channel's parts; send one of that type")
            }
            Self::Fault(violation) => write!(
                f,
                "the client of the call broke the protocol ({violation}); close the server and check that client"
            ),
        }
    }
}

impl core::error::Error for PartError {}
