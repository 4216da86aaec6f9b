//! The reading end of a byte pipe.
//!
//! # Invariants
//!
//! - P1. While `len` is not 0, the frame at the consumer's head was seen to have `len` bytes, of which
//!   `offset`, fewer, were read. It is not released before all are.
//! - P2. `shown` bytes behind `offset` were shown by `fill_buf` and not consumed. Without trust they are
//!   in `bounce` from `from` on, and `read` takes them from there: a peer may change the frame, but not
//!   the bytes that were shown.
//! - P3. The region knows of each frame that it was read before the call returns that read its last byte.

use core::time::Duration;

use embedded_io::{BufRead, ErrorType, Read, ReadReady};

use crate::endpoint::consumer::Consumer;
use crate::endpoint::error::{RecvError, TryRecvError};
use crate::endpoint::recv_half::{HasRecvHalf, recv_until};
use crate::endpoint::role::PeerStatus;
use crate::ground::port::Port;
use crate::protocol::Violation;

use super::error::RingPipeError;
use super::turns::{gone, wait_in_turns};

/// The reading end of a byte pipe over a ring: `embedded_io`'s `Read`, `ReadReady` and `BufRead`.
///
/// After the writer's end, every read gives `Ok(0)`; to read from a later writer, make a new reader of
/// the same consumer.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use embedded_io::{BufRead, Write};
/// use strait_core::{Channel, Plan, RingReader, RingWriter, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("lines", 256, 64)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut bounce = [0; 16];
/// let consumer = region.consumer("lines").unwrap();
/// let mut reader = RingReader::new(consumer, Duration::ZERO, &mut bounce);
/// let mut writer = RingWriter::new(region.producer("lines").unwrap(), Duration::ZERO);
/// writer.write_all(b"on;off").unwrap();
///
/// assert_eq!(reader.fill_buf(), Ok(&b"on;off"[..]));
/// reader.consume(3);
/// assert_eq!(reader.fill_buf(), Ok(&b"off"[..]));
/// ```
pub struct RingReader<'b, P: Port> {
    consumer: Consumer<P>,
    timeout: Duration,
    bounce: &'b mut [u8],
    from: usize,
    shown: usize,
    len: usize,
    offset: usize,
    ended: bool,
    met: bool,
}

impl<'b, P: Port> RingReader<'b, P> {
    /// A reader, whose calls wait up to `timeout`. `fill_buf` shows bytes in `bounce`, which may be empty
    /// if it is not used, or if the attachment [trusts its peers](crate::Attachment::trusting_peers):
    /// then they are shown in place.
    #[must_use]
    pub fn new(consumer: Consumer<P>, timeout: Duration, bounce: &'b mut [u8]) -> Self {
        let met = consumer.peer() == PeerStatus::Present;
        Self { consumer, timeout, bounce, from: 0, shown: 0, len: 0, offset: 0, ended: false, met }
    }

    /// Sets how long a call waits at most.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Whether the writer has ended the pipe, and all was read.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The consumer, and the buffer. A frame of which not all was read comes again, all of it.
    #[must_use]
    pub fn into_parts(self) -> (Consumer<P>, &'b mut [u8]) {
        (self.consumer, self.bounce)
    }

    /// Waits up to `timeout` until a read returns at once, without reading: `true` if there are bytes, `false` at
    /// the pipe's end. Takes no buffer, and leaves the bytes there.
    ///
    /// # Errors
    ///
    /// [`RingPipeError::TimedOut`], `PeerDied`, `PeerLeft` or `Fault`.
    pub fn wait_readable(&mut self, timeout: Duration) -> Result<bool, RingPipeError> {
        if self.shown > 0 { Ok(true) } else { self.wait_for_some(timeout) }
    }

    /// Waits until there is a byte; `false` at the pipe's end (P1).
    fn wait_for_some(&mut self, timeout: Duration) -> Result<bool, RingPipeError> {
        if self.len > 0 || self.ended {
            return Ok(!self.ended);
        }
        let clock = self.consumer.taker().role.port.clone();
        let look = |this: &mut Self, until| match recv_until(&mut this.consumer, until, |end| {
            end.peek().map(|peek| peek.info().len)
        }) {
            Ok(len) => Ok(Some(len)),
            Err(RecvError::Fault(violation)) => Err(RingPipeError::Fault(violation)),
            // It never came, or is gone, and nobody can come.
            Err(RecvError::Replaced) => Err(this.gone().unwrap_or(RingPipeError::PeerLeft)),
            Err(_) => Ok(None),
        };
        self.len = wait_in_turns(self, &clock, timeout, look, Self::gone)?;
        self.met = true;
        if self.len == 0 {
            self.release();
            self.ended = true;
        }
        Ok(!self.ended)
    }

    fn gone(&mut self) -> Option<RingPipeError> {
        gone(self.consumer.peer(), &mut self.met)
    }

    /// Releases the frame, and tells the region so: a successor has no sequence by which to see that bytes
    /// come again (P3).
    fn release(&mut self) {
        if let Ok(peek) = self.consumer.peek() {
            peek.release();
        }
        self.consumer.flush();
        (self.len, self.offset) = (0, 0);
    }

    /// Records that `count` bytes were read.
    fn advance(&mut self, count: usize) {
        self.offset += count;
        if self.len > 0 && self.offset >= self.len {
            self.release();
        }
    }

    /// A frame has changed since it was seen: latches the fault.
    #[cold]
    fn changed(&mut self, error: Option<TryRecvError>) -> RingPipeError {
        let violation = match error {
            Some(TryRecvError::Fault(violation)) => violation,
            _ => Violation::Length,
        };
        RingPipeError::Fault(self.consumer.taker().role.latch(violation))
    }

    /// Copies the next bytes and leaves them there; `into` is not empty. 0 at the pipe's end.
    fn copy_next(&mut self, into: &mut [u8]) -> Result<usize, RingPipeError> {
        if !self.wait_for_some(self.timeout)? {
            return Ok(0);
        }
        let left = (self.len - self.offset).min(into.len());
        match self.consumer.peek().map(|peek| peek.copy_from(self.offset, &mut into[..left])) {
            Ok(0) => Err(self.changed(None)),
            Ok(count) => Ok(count),
            Err(error) => Err(self.changed(Some(error))),
        }
    }
}

impl<P: Port> ErrorType for RingReader<'_, P> {
    type Error = RingPipeError;
}

impl<P: Port> Read for RingReader<'_, P> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RingPipeError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.shown > 0 && !self.consumer.is_trusted() {
            let count = self.shown.min(buffer.len());
            buffer[..count].copy_from_slice(&self.bounce[self.from..self.from + count]);
            self.consume(count);
            return Ok(count);
        }
        let count = self.copy_next(buffer)?;
        self.shown = self.shown.saturating_sub(count);
        self.advance(count);
        Ok(count)
    }
}

impl<P: Port> ReadReady for RingReader<'_, P> {
    /// Whether a read returns at once: with bytes, the end, a fault, or that the writer has gone. One probe of the
    /// writer's liveness if there is nothing.
    fn read_ready(&mut self) -> Result<bool, RingPipeError> {
        // A wait for several receivers is told of a fault once; each read returns it.
        let is_there = self.len > 0 || self.ended || self.consumer.has_data();
        Ok(is_there || self.consumer.fault().is_some() || self.gone().is_some())
    }
}

impl<P: Port> BufRead for RingReader<'_, P> {
    fn fill_buf(&mut self) -> Result<&[u8], RingPipeError> {
        if self.consumer.is_trusted() {
            if !self.wait_for_some(self.timeout)? {
                return Ok(&[]);
            }
            self.shown = self.len - self.offset;
            // The frame is there (P1), and its peers are trusted.
            return Ok(self
                .consumer
                .next_slice()
                .and_then(|frame| frame.get(self.offset..))
                .unwrap_or_default());
        }
        if self.bounce.is_empty() {
            return Err(RingPipeError::NoSpace);
        }
        if self.shown == 0 {
            let bounce = core::mem::take(&mut self.bounce);
            let copied = self.copy_next(bounce);
            self.bounce = bounce;
            (self.from, self.shown) = (0, copied?);
        }
        Ok(&self.bounce[self.from..self.from + self.shown])
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.shown);
        // Where peers are trusted, nothing is in `bounce`, and `from` would count for ever.
        if !self.consumer.is_trusted() {
            self.from += count;
        }
        self.shown -= count;
        self.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use embedded_io::{BufRead, Write};

    use super::RingReader;
    use crate::endpoint::{NoSystem, StaticRegion};
    use crate::{Channel, Plan, RingWriter};

    const PLAN: Plan<'_> = Plan::new(&[Channel::frames("f", 256, 64)]).line(4).participants(1);

    /// On a machine of 32 bits, one that counted would overflow after 4 GiB.
    #[test]
    fn a_trusting_reader_does_not_count_what_it_shows_for_ever() {
        let region = StaticRegion::<{ PLAN.size() }>::new();
        let attachment = region.create(&PLAN, 1, &NoSystem).unwrap();
        let mut tx = RingWriter::new(attachment.producer("f").unwrap(), Duration::ZERO);
        // SAFETY: both ends are in this test, and keep to the protocol.
        let attachment = unsafe { attachment.trusting_peers() };
        let mut rx = RingReader::new(attachment.consumer("f").unwrap(), Duration::ZERO, &mut []);
        for _ in 0..100 {
            tx.write_all(&[7; 50]).unwrap();
            assert_eq!(rx.fill_buf().unwrap().len(), 50);
            rx.consume(20);
            rx.consume(30);
            assert_eq!((rx.from, rx.shown), (0, 0));
        }
    }
}
