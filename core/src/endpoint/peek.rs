//! A received frame, read in place.

use crate::ground::port::Port;
use crate::protocol::frames::Found;

use super::consumer::{Consumer, Received};

/// The next frame, read in place in the ring.
///
/// Only [`release`](Self::release) gives it back. A peek that is dropped or forgotten leaves the frame in the queue,
/// to come again; so does a process that is killed, whose successor gets it. A panic that drops the consumer with it
/// counts the frame as received.
///
/// Once released it is not there any more:
///
/// ```compile_fail,E0382
/// fn late<P: strait_core::port::Port>(peek: strait_core::Peek<'_, P>) {
///     peek.release();
///     peek.info();
/// }
/// ```
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, TryRecvError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.producer("log").unwrap();
/// let mut consumer = region.consumer("log").unwrap();
/// producer.try_send(7, b"motor on").unwrap();
///
/// // A peek that is dropped leaves the frame in the queue.
/// assert_eq!(consumer.peek().unwrap().info().len, 8);
/// let peek = consumer.peek().unwrap();
/// let mut word = [0; 2];
/// assert_eq!(peek.copy_from(6, &mut word), 2);
/// assert_eq!(&word, b"on");
/// peek.release();
/// assert_eq!(consumer.peek().err(), Some(TryRecvError::Empty));
/// ```
pub struct Peek<'q, P: Port> {
    pub(super) consumer: &'q mut Consumer<P>,
    pub(super) found: Found,
    pub(super) received: Received,
    #[cfg_attr(not(feature = "embedded-io-07"), allow(dead_code))]
    pub(super) read: usize,
}

impl<P: Port> Peek<'_, P> {
    /// Tag, sequence and length.
    #[must_use]
    pub fn info(&self) -> Received {
        self.received
    }

    /// Copies the payload from `offset` on into `buffer`; returns how many bytes there were.
    pub fn copy_from(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let left = self.received.len.saturating_sub(offset);
        let len = left.min(buffer.len());
        if let Some(into) = buffer.get_mut(..len)
            && len > 0
        {
            let (span, place) = self.consumer.ring().place(self.found.pos);
            span.read(place + offset as u32, into);
        }
        len
    }

    /// The payload itself, if the attachment [trusts its peers](crate::Attachment::trusting_peers).
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        slice_of(self.consumer, &self.found)
    }

    /// Releases the frame.
    pub fn release(self) {
        self.consumer.release_peeked(&self.found, self.received.sequence);
    }
}

/// A frame that a batch shows. If it is dropped before its release, the batch panicked over it.
pub(super) struct Shown<'q, P: Port>(pub Option<Peek<'q, P>>);

impl<P: Port> Shown<'_, P> {
    pub fn release(&mut self) {
        if let Some(peek) = self.0.take() {
            peek.release();
        }
    }
}

impl<P: Port> Drop for Shown<'_, P> {
    fn drop(&mut self) {
        if let Some(peek) = &mut self.0 {
            peek.consumer.note_panic();
        }
    }
}

/// The payload of a frame that was found and not yet released.
pub(super) fn slice_of<'a, P: Port>(consumer: &'a Consumer<P>, found: &Found) -> Option<&'a [u8]> {
    if !consumer.is_trusted() {
        return None;
    }
    let (span, place) = consumer.ring().place(found.pos);
    let bytes = span.as_ptr(place, found.len as usize);
    // SAFETY: the range was checked, nobody writes to a frame before its release, which would need
    // another borrow of the consumer, and the caller of `trusting_peers` guaranteed that all peers keep
    // to that.
    Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr(), found.len as usize) })
}

#[cfg(feature = "embedded-io-07")]
mod io {
    use core::convert::Infallible;

    use embedded_io::{ErrorType, Read};

    use super::{Peek, Port};

    impl<P: Port> ErrorType for Peek<'_, P> {
        type Error = Infallible;
    }

    /// Reads the payload from its start; the frame stays until it is released.
    impl<P: Port> Read for Peek<'_, P> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            let count = self.copy_from(self.read, buffer);
            self.read += count;
            Ok(count)
        }
    }
}
