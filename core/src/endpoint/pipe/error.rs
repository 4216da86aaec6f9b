//! Errors of a byte pipe.

use core::fmt;

use embedded_io::{Error, ErrorKind};

use crate::protocol::Violation;

/// Error of a byte pipe. No bytes were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingPipeError {
    /// Nothing could be done in the time allowed.
    TimedOut,
    /// The peer is proven dead, and nobody has taken over yet.
    PeerDied,
    /// The peer was present and has left without ending the pipe; or the reader has left.
    PeerLeft,
    /// The pipe was closed by this side.
    Closed,
    /// The channel's frames have no room for a byte, or `fill_buf` has no buffer to show bytes in; give
    /// it one.
    NoSpace,
    /// The peer wrote what no honest peer writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for RingPipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the pipe's time-out has passed"),
            Self::PeerDied => f.write_str("the other side of the pipe is dead; restart it to go on"),
            Self::PeerLeft => f.write_str("the other side of the pipe has left"),
            Self::Closed => f.write_str("this side of the pipe is closed"),
            Self::NoSpace => f.write_str(
                "the pipe has no room for a byte; plan for longer frames, or give the reader a buffer",
            ),
            Self::Fault(violation) => write!(
                f,
                "the other side of the pipe broke the protocol: {violation}; close this side, and check that peer"
            ),
        }
    }
}

impl core::error::Error for RingPipeError {}

impl Error for RingPipeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut => ErrorKind::TimedOut,
            Self::PeerDied => ErrorKind::ConnectionReset,
            Self::PeerLeft | Self::Closed => ErrorKind::BrokenPipe,
            Self::NoSpace => ErrorKind::InvalidInput,
            Self::Fault(_) => ErrorKind::InvalidData,
        }
    }
}
