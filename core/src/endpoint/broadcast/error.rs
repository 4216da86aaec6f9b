//! Errors of a broadcast's readers.

use core::fmt;

use crate::protocol::Violation;

/// Error of a receive that does not wait. Nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BroadcastTryRecvError {
    /// There is nothing now; it may come.
    Empty,
    /// The writer has overtaken this reader, which has lost so many values. The next call goes on behind them.
    Lagged {
        /// How many values: exactly, of an honest writer.
        lost: u64,
    },
    /// The writer was faster in all tries to find the newest value, or misbehaves. Call again.
    Contended,
    /// The writer wrote what no honest writer writes. The next call goes on behind the newest value that
    /// there seems to be.
    Fault(Violation),
}

impl fmt::Display for BroadcastTryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the broadcast has no value after the last one; try again later"),
            Self::Lagged { lost } => write!(
                f,
                "the reader was too slow and has lost {lost} values; go on, or plan for a longer ring"
            ),
            Self::Contended => f.write_str("the writer of the broadcast was faster in all tries; call again"),
            Self::Fault(violation) => {
                write!(f, "the writer of the broadcast broke the protocol ({violation}); check that writer")
            }
        }
    }
}

impl core::error::Error for BroadcastTryRecvError {}

/// Error of a receive that waits. Nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BroadcastRecvError {
    /// Nothing came in time.
    TimedOut,
    /// The writer is proven dead, or it was there and has left; nobody has taken over yet, and all that it published was
    /// received. Only where [`end_with_writer`](crate::BroadcastReader::end_with_writer) is set.
    PeerGone,
    /// The region was [removed, or made anew](crate::port::Port::is_current), and the writer is absent or dead: nobody can
    /// come to publish in this one. All that was published was received. Once a probe period, of waits alone.
    Replaced,
    /// The writer has overtaken this reader, which has lost so many values. The next call goes on behind them.
    Lagged {
        /// How many values: exactly, of an honest writer.
        lost: u64,
    },
    /// The writer wrote what no honest writer writes. The next call goes on behind the newest value that
    /// there seems to be.
    Fault(Violation),
}

impl fmt::Display for BroadcastRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the broadcast had no value in the time allowed"),
            Self::PeerGone => f.write_str(
                "the broadcast has no value after the last one, and its writer is gone; start one, and wait again",
            ),
            Self::Replaced => f.write_str(
                "the broadcast has no value after the last one, and its region's name leads to another one or to \
                 none, so no writer can come; open it again",
            ),
            Self::Lagged { lost } => BroadcastTryRecvError::Lagged { lost: *lost }.fmt(f),
            Self::Fault(violation) => BroadcastTryRecvError::Fault(*violation).fmt(f),
        }
    }
}

impl core::error::Error for BroadcastRecvError {}
