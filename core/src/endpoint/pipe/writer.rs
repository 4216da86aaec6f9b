//! The writing end of a byte pipe.

use core::time::Duration;

use embedded_io::{ErrorType, Write, WriteReady};

use crate::endpoint::error::SendError;
use crate::endpoint::producer::Producer;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::send_half::{HasSendHalf, send_until};
use crate::ground::port::Port;
use crate::protocol::Refused;

use super::error::RingPipeError;
use super::turns::{gone, wait_in_turns};

/// The writing end of a byte pipe over a ring: `embedded_io`'s `Write` and `WriteReady`.
///
/// When it is dropped, also by a panic, it ends the pipe if there is space for that, as a socket would;
/// [`close`](Self::close) waits for it.
/// The channel counts a refusal for every 100 ms that a write waits.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use embedded_io::{Read, Write};
/// use strait_core::{Channel, Plan, RingPipeError, RingReader, RingWriter, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("bytes", 256, 64)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut reader = RingReader::new(region.consumer("bytes").unwrap(), Duration::ZERO, &mut []);
/// let mut writer = RingWriter::new(region.producer("bytes").unwrap(), Duration::ZERO);
/// writer.write_all(b"done").unwrap();
/// writer.close().unwrap();
/// assert_eq!(writer.write(b"more"), Err(RingPipeError::Closed));
///
/// let mut buffer = [0; 8];
/// assert_eq!(reader.read(&mut buffer), Ok(4));
/// assert_eq!(reader.read(&mut buffer), Ok(0), "the end of the pipe");
/// ```
pub struct RingWriter<P: Port> {
    producer: Producer<P>,
    timeout: Duration,
    closed: bool,
    met: bool,
}

impl<P: Port> RingWriter<P> {
    /// A writer, whose calls wait up to `timeout`.
    #[must_use]
    pub fn new(producer: Producer<P>, timeout: Duration) -> Self {
        let met = producer.peer() == PeerStatus::Present;
        Self { producer, timeout, closed: false, met }
    }

    /// Sets how long a call waits at most.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Ends the pipe: the reader gets what was written, and then `Ok(0)`. Waits up to the time-out for
    /// space.
    ///
    /// # Errors
    ///
    /// [`RingPipeError`]; the pipe is then still open. `Closed` if it was closed before.
    pub fn close(&mut self) -> Result<(), RingPipeError> {
        self.put(&[])?;
        self.closed = true;
        Ok(())
    }

    /// Waits up to `timeout` until a write returns at once, without writing.
    ///
    /// # Errors
    ///
    /// [`RingPipeError::TimedOut`], `PeerDied`, `PeerLeft`, `Closed` or `Fault`.
    pub fn wait_writable(&mut self, timeout: Duration) -> Result<(), RingPipeError> {
        if self.closed {
            return Err(RingPipeError::Closed);
        }
        let clock = self.producer.sender().role.port.clone();
        let has_room = |end: &mut Producer<P>| if end.has_room() { Ok(()) } else { Err(Refused::Full) };
        let attempt = |this: &mut Self, until| match send_until(&mut this.producer, until, has_room) {
            Ok(()) => Ok(Some(())),
            Err(SendError::Fault(violation)) => Err(RingPipeError::Fault(violation)),
            // It never came, or is gone, and nobody can come.
            Err(SendError::Replaced) => Err(this.gone().unwrap_or(RingPipeError::PeerLeft)),
            Err(_) => Ok(None),
        };
        wait_in_turns(self, &clock, timeout, attempt, Self::gone)
    }

    /// Puts in as many of these bytes as there is space for; an empty slice puts in the end.
    fn put(&mut self, bytes: &[u8]) -> Result<usize, RingPipeError> {
        if self.closed {
            return Err(RingPipeError::Closed);
        }
        if self.producer.max_len() == 0 && !bytes.is_empty() {
            return Err(RingPipeError::NoSpace);
        }
        let clock = self.producer.sender().role.port.clone();
        let attempt = |this: &mut Self, until| {
            let mut count = 0;
            let put = |end: &mut Producer<P>| -> Result<(), Refused> {
                count = end.put_part(bytes)?;
                Ok(())
            };
            match send_until(&mut this.producer, until, put) {
                Ok(()) => Ok(Some(count)),
                Err(SendError::Fault(violation)) => Err(RingPipeError::Fault(violation)),
                // It never came, or is gone, and nobody can come.
                Err(SendError::Replaced) => Err(this.gone().unwrap_or(RingPipeError::PeerLeft)),
                Err(_) => Ok(None),
            }
        };
        wait_in_turns(self, &clock, self.timeout, attempt, Self::gone)
    }

    fn gone(&mut self) -> Option<RingPipeError> {
        gone(self.producer.peer(), &mut self.met)
    }
}

impl<P: Port> Drop for RingWriter<P> {
    fn drop(&mut self) {
        if !self.closed {
            // If there is no space, the reader sees that the producer has left.
            let _ = self.producer.try_send(0, &[]);
        }
    }
}

impl<P: Port> ErrorType for RingWriter<P> {
    type Error = RingPipeError;
}

impl<P: Port> Write for RingWriter<P> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, RingPipeError> {
        if bytes.is_empty() { Ok(0) } else { self.put(bytes) }
    }

    /// Nothing is held back, so there is nothing to do.
    fn flush(&mut self) -> Result<(), RingPipeError> {
        Ok(())
    }
}

impl<P: Port> WriteReady for RingWriter<P> {
    /// Whether a write returns at once, with a byte count or an error. One probe of the reader's liveness
    /// if there is no space.
    fn write_ready(&mut self) -> Result<bool, RingPipeError> {
        Ok(self.closed || self.producer.has_room() || self.gone().is_some())
    }
}
