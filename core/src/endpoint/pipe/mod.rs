//! A byte pipe over a queue of frames: `embedded_io`'s traits, so that a ring can stand in for a socket
//! or a serial line.
//!
//! A write becomes a frame, or some; a read gives bytes, whatever frames they came in. An empty frame is
//! the end. One direction is a [`RingWriter`] and a [`RingReader`]; [`RingPipe`] is both ways.
//!
//! # Waiting
//!
//! A read waits for the first byte, a write for space for some: as the endpoint's
//! [`WaitPolicy`](crate::WaitPolicy) says, and no longer than the pipe's time-out. `TimedOut` says that
//! it has passed; with a time-out of zero, it says that nothing could be done at once. Nothing is lost
//! by it. While waiting, the other side's liveness is looked at every 100 ms.
//!
//! # If a peer dies
//!
//! A reader gets every byte of every frame that was committed, then [`RingPipeError::PeerDied`]. A writer
//! gets it when the ring is full. Neither is the last word: after a successor has come, the next call
//! goes on. A reader that dies in the middle of a frame leaves all of it to its successor, who sees those
//! bytes again.
//!
//! # If a peer lies
//!
//! As with frames: [`RingPipeError::Fault`], or bytes that make no sense. What `fill_buf` shows lies in a
//! buffer of the caller's, unless the attachment trusts its peers.

mod reader;
mod writer;

use core::fmt;
use core::time::Duration;

use embedded_io::{BufRead, Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use crate::ground::port::{Clock, Port};
use crate::protocol::Violation;

use super::role::Peer;
use super::wait::Deadline;

pub use reader::RingReader;
pub use writer::RingWriter;

/// How long to wait before the peer's liveness is looked at again.
const PROBE: Duration = Duration::from_millis(100);

/// Both directions: bytes go out through one ring and come in through another.
pub struct RingPipe<'b, P: Port> {
    /// The way in.
    pub reader: RingReader<'b, P>,
    /// The way out.
    pub writer: RingWriter<P>,
}

impl<P: Port> ErrorType for RingPipe<'_, P> {
    type Error = RingPipeError;
}

impl<P: Port> Read for RingPipe<'_, P> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RingPipeError> {
        self.reader.read(buffer)
    }
}

impl<P: Port> ReadReady for RingPipe<'_, P> {
    fn read_ready(&mut self) -> Result<bool, RingPipeError> {
        self.reader.read_ready()
    }
}

impl<P: Port> BufRead for RingPipe<'_, P> {
    fn fill_buf(&mut self) -> Result<&[u8], RingPipeError> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
    }
}

impl<P: Port> Write for RingPipe<'_, P> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, RingPipeError> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> Result<(), RingPipeError> {
        self.writer.flush()
    }
}

impl<P: Port> WriteReady for RingPipe<'_, P> {
    fn write_ready(&mut self) -> Result<bool, RingPipeError> {
        self.writer.write_ready()
    }
}

/// Why no bytes went through. None were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingPipeError {
    /// Nothing could be done in the time allowed.
    TimedOut,
    /// The peer is proven dead, and nobody has taken over yet.
    PeerDied,
    /// The peer was there, and has left without an end; or the reader has left.
    PeerLeft,
    /// The pipe was closed by this side.
    Closed,
    /// The channel's frames have no room for a byte, or `fill_buf` has no buffer to show bytes in; give
    /// it one.
    NoSpace,
    /// The peer wrote what no honest peer writes. Latched: every later call says so.
    Fault(Violation),
}

impl fmt::Display for RingPipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the pipe's time-out has passed"),
            Self::PeerDied => f.write_str("the other side of the pipe is dead; restart it to go on"),
            Self::PeerLeft => f.write_str("the other side of the pipe has left"),
            Self::Closed => f.write_str("this side of the pipe is closed"),
            Self::NoSpace => f.write_str("no room for a byte; give the channel or the reader more"),
            Self::Fault(violation) => write!(f, "the other side broke the protocol: {violation}"),
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

/// Whether the other side has gone, as far as can be told. `met` remembers that it was there.
fn gone(peer: Peer, met: &mut bool) -> Option<RingPipeError> {
    match peer {
        Peer::Dead => Some(RingPipeError::PeerDied),
        Peer::Absent if *met => Some(RingPipeError::PeerLeft),
        Peer::Absent => None,
        Peer::Present => {
            *met = true;
            None
        }
    }
}

/// Tries until something comes of it. `attempt` waits until a deadline, and gives `None` if nothing came
/// by then; `peer` looks at the other side, and gives what is wrong with it.
fn wait_in_turns<C: Clock, E, T>(
    end: &mut E,
    clock: &C,
    timeout: Duration,
    mut attempt: impl FnMut(&mut E, Deadline) -> Result<Option<T>, RingPipeError>,
    mut peer: impl FnMut(&mut E) -> Option<RingPipeError>,
) -> Result<T, RingPipeError> {
    let deadline = Deadline::after(clock, timeout);
    loop {
        let turn = deadline.min(Deadline::after(clock, PROBE));
        if let Some(done) = attempt(end, turn)? {
            return Ok(done);
        }
        if let Some(error) = peer(end) {
            // What it did before it went came before its going was seen.
            return attempt(end, turn)?.ok_or(error);
        }
        if deadline.left(clock).is_zero() {
            return Err(RingPipeError::TimedOut);
        }
    }
}
