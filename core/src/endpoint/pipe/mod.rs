//! A byte pipe over a queue of frames: `embedded_io`'s traits, so that a ring can stand in for a socket
//! or a serial line.
//!
//! A write becomes a frame, or some; a read gives bytes, whatever frames they came in. An empty frame is
//! the end. One direction is a [`RingWriter`] and a [`RingReader`]; [`RingPipe`] is both ways.
//!
//! # Waiting
//!
//! A read waits for the first byte, a write for space for some bytes: as the endpoint's
//! [`WaitPolicy`](crate::WaitPolicy) sets, and no longer than the pipe's time-out. `TimedOut` means that
//! the time-out has passed, or, with a time-out of zero, that nothing could be done at once; nothing is
//! lost. While waiting, the pipe checks the other side's liveness every 100 ms.
//!
//! # If a peer dies
//!
//! A reader gets every byte of every frame that was committed, then [`RingPipeError::PeerDied`]. A writer
//! gets it when the ring is full. Neither is final: after a successor has come, the next call goes on. A
//! reader that dies in the middle of a frame leaves all of it to its successor, which sees those bytes
//! again.
//!
//! # If a peer misbehaves
//!
//! As with frames: [`RingPipeError::Fault`], or bytes that make no sense. `fill_buf` shows bytes in a
//! buffer of the caller's, unless the attachment trusts its peers.

mod error;
mod reader;
mod turns;
mod writer;

use embedded_io::{BufRead, ErrorType, Read, ReadReady, Write, WriteReady};

use crate::ground::port::Port;

pub use error::RingPipeError;
pub use reader::RingReader;
pub use writer::RingWriter;

/// Both directions: bytes go out through one ring and come in through another.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use embedded_io::{Read, Write};
/// use strait_core::{Channel, Plan, RingPipe, RingReader, RingWriter, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("to_arm", 256, 64), Channel::frames("from_arm", 256, 64)])
///     .participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let end = |into, out| RingPipe {
///     reader: RingReader::new(region.consumer(into).unwrap(), Duration::ZERO, &mut []),
///     writer: RingWriter::new(region.producer(out).unwrap(), Duration::ZERO),
/// };
/// let (mut host, mut arm) = (end("from_arm", "to_arm"), end("to_arm", "from_arm"));
/// host.write_all(b"pos?").unwrap();
/// let mut request = [0; 4];
/// arm.read_exact(&mut request).unwrap();
/// assert_eq!(&request, b"pos?");
/// arm.write_all(b"12.5").unwrap();
/// assert_eq!(host.read(&mut [0; 8]), Ok(4));
/// ```
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
