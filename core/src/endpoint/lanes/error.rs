//! Errors of receiving from lanes.

use core::fmt;

use crate::endpoint::error::{TryRecvError, WrongSize};
use crate::protocol::Violation;

/// Error of a receive from lanes that does not wait. Nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvLanesError {
    /// There is nothing now in any lane; it may come.
    Empty,
    /// The buffer is shorter than the frame that is next, which stays where it is and is next again.
    TooSmall {
        /// The frame's lane.
        lane: u32,
        /// The frame's length.
        needed: usize,
    },
    /// The buffer's size differs from that of the channel's values.
    WrongSize {
        /// The size of the channel's values.
        needed: u32,
    },
    /// Somebody wrote in a lane what no honest producer writes. Returned once; after that the lane is left out,
    /// and the others go on.
    Fault {
        /// The lane.
        lane: u32,
        /// What is wrong in it.
        violation: Violation,
    },
}

impl TryRecvLanesError {
    /// The error of a receive from this lane.
    pub(in crate::endpoint) fn in_lane(lane: u32, error: TryRecvError) -> Self {
        match error {
            TryRecvError::Empty => Self::Empty,
            TryRecvError::TooSmall { needed } => Self::TooSmall { lane, needed },
            TryRecvError::WrongSize { needed } => Self::WrongSize { needed },
            TryRecvError::Fault(violation) => Self::Fault { lane, violation },
        }
    }

    /// The same of a receive that waits, or `None` for [`Empty`](Self::Empty): then it waits.
    pub(in crate::endpoint) fn while_waiting(self) -> Option<RecvLanesError> {
        match self {
            Self::Empty => None,
            Self::TooSmall { lane, needed } => Some(RecvLanesError::TooSmall { lane, needed }),
            Self::WrongSize { needed } => Some(RecvLanesError::WrongSize { needed }),
            Self::Fault { lane, violation } => Some(RecvLanesError::Fault { lane, violation }),
        }
    }
}

impl fmt::Display for TryRecvLanesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("all lanes of the queue are empty; try again later"),
            Self::TooSmall { lane, needed } => {
                write!(
                    f,
                    "the frame in lane {lane} has {needed} bytes, more than the buffer; give a longer one"
                )
            }
            Self::WrongSize { needed } => WrongSize { needed: *needed }.fmt(f),
            Self::Fault { lane, violation } => {
                write!(f, "the queue's lane {lane} is damaged ({violation}); it is left out from now on")
            }
        }
    }
}

impl core::error::Error for TryRecvLanesError {}

/// Error of a receive from lanes that waits. Nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvLanesError {
    /// Nothing came in time.
    TimedOut,
    /// All producers are gone: proven dead, or they were there and have left. Nobody has taken over yet, and all that
    /// they sent was received. Only where [`end_with_peer`](crate::LanesConsumer::end_with_peer) is set.
    PeerGone,
    /// The region was [removed, or made anew](crate::port::Port::is_current), and no producer is there: nobody can come to
    /// this one any more. All that was sent was received. Once a probe period, of waits alone.
    Replaced,
    /// The buffer is shorter than the frame that is next, which stays where it is and is next again.
    TooSmall {
        /// The frame's lane.
        lane: u32,
        /// The frame's length.
        needed: usize,
    },
    /// The buffer's size differs from that of the channel's values.
    WrongSize {
        /// The size of the channel's values.
        needed: u32,
    },
    /// Somebody wrote in a lane what no honest producer writes. Returned once; after that the lane is left out,
    /// and the others go on.
    Fault {
        /// The lane.
        lane: u32,
        /// What is wrong in it.
        violation: Violation,
    },
}

impl fmt::Display for RecvLanesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TimedOut => f.write_str("all lanes of the queue stayed empty for the time allowed"),
            Self::PeerGone => f.write_str(
                "all lanes of the queue are empty, and their producers are gone; start one, and wait again",
            ),
            Self::Replaced => f.write_str(
                "all lanes of the queue are empty, and the name of their region leads to another one or to none, so no \
                 producer can come; open it again",
            ),
            Self::TooSmall { lane, needed } => TryRecvLanesError::TooSmall { lane, needed }.fmt(f),
            Self::WrongSize { needed } => WrongSize { needed }.fmt(f),
            Self::Fault { lane, violation } => TryRecvLanesError::Fault { lane, violation }.fmt(f),
        }
    }
}

impl core::error::Error for RecvLanesError {}
