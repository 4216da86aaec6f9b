//! Space for a frame that is written in place.

use crate::ground::port::Port;
use crate::protocol::frames::Reservation;

use super::producer::Producer;

/// Space for one frame, the producer's own until it is committed.
///
/// Bytes that are not written keep the content of an earlier frame.
///
/// Only [`commit`](Self::commit) and [`commit_len`](Self::commit_len) publish, the whole frame at once. A grant
/// that is dropped, also by a panic, or whose process is killed, sends nothing: the next frame has its place and its
/// number.
///
/// A grant is committed once, and there is one at a time:
///
/// ```compile_fail,E0382
/// fn twice<P: strait_core::port::Port>(grant: strait_core::Grant<'_, P>) {
///     grant.commit();
///     grant.commit();
/// }
/// ```
///
/// ```compile_fail,E0499
/// fn two<P: strait_core::port::Port>(producer: &mut strait_core::Producer<P>) {
///     let one = producer.reserve(8);
///     let two = producer.reserve(8);
///     drop((one, two));
/// }
/// ```
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.producer("log").unwrap();
/// let mut consumer = region.consumer("log").unwrap();
/// let mut grant = producer.reserve(32).unwrap();
/// grant.set_tag(7);
/// let written = grant.write(0, b"motor") + grant.write(5, b" on");
/// grant.commit_len(written);
///
/// let mut buffer = [0; 32];
/// let received = consumer.try_recv(&mut buffer).unwrap();
/// assert_eq!((received.tag, &buffer[..received.len]), (7, &b"motor on"[..]));
/// ```
#[must_use = "a grant that is not committed sends nothing"]
pub struct Grant<'q, P: Port> {
    /// The producer, borrowed until the grant ends.
    pub(super) producer: &'q mut Producer<P>,
    /// The frame's place, and how many bytes are reserved.
    pub(super) slot: Reservation,
    /// The tag that the frame will have.
    pub(super) tag: u32,
}

impl<P: Port> Grant<'_, P> {
    /// The bytes reserved.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slot.len as usize
    }

    /// Whether no bytes are reserved: an empty frame, which is legal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slot.len == 0
    }

    /// Sets the user's tag; 0 until then.
    pub fn set_tag(&mut self, tag: u32) {
        self.tag = tag;
    }

    /// Copies `bytes` into the payload from `offset` on; bytes that would be outside are left out.
    /// Returns how many were copied.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> usize {
        let room = self.len().saturating_sub(offset);
        let bytes = &bytes[..bytes.len().min(room)];
        if !bytes.is_empty() {
            let (span, place) = self.producer.ring.place(self.slot.pos);
            span.write(place + offset as u32, bytes);
        }
        bytes.len()
    }

    /// The payload itself, if the attachment [trusts its peers](crate::Attachment::trusting_peers).
    #[must_use]
    pub fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        if !self.producer.trusted {
            return None;
        }
        let (span, place) = self.producer.ring.place(self.slot.pos);
        let bytes = span.as_ptr(place, self.len());
        // SAFETY: the range was checked, it is the producer's alone until the commit, and the caller of
        // `trusting_peers` guaranteed that all peers keep to that.
        Some(unsafe { core::slice::from_raw_parts_mut(bytes.as_ptr(), self.len()) })
    }

    /// Publishes the frame.
    pub fn commit(self) {
        let len = self.slot.len;
        self.finish(len);
    }

    /// Publishes the first `len` bytes as the frame; more than were reserved count as all.
    pub fn commit_len(self, len: usize) {
        let len = u32::try_from(len).unwrap_or(u32::MAX).min(self.slot.len);
        self.finish(len);
    }

    fn finish(self, len: u32) {
        self.producer.publish(self.slot, self.tag, len);
        // A fault is latched, and the next reservation returns it.
        let _ = self.producer.sender.wake_consumer();
    }
}

#[cfg(feature = "embedded-io-07")]
mod io {
    use embedded_io::{ErrorType, Write};

    use super::{GrantWriter, Port};
    use crate::endpoint::error::TrySendError;

    impl<P: Port> ErrorType for GrantWriter<'_, '_, P> {
        type Error = TrySendError;
    }

    /// Writes the payload from its start on. A write past its end is `TooLarge`.
    impl<P: Port> Write for GrantWriter<'_, '_, P> {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, TrySendError> {
            let count = self.grant.write(self.written, bytes);
            if count == 0 && !bytes.is_empty() {
                return Err(TrySendError::TooLarge);
            }
            self.written += count;
            Ok(count)
        }

        fn flush(&mut self) -> Result<(), TrySendError> {
            Ok(())
        }
    }
}

/// Writes a grant's payload as a stream; see [`Grant::writer`].
#[cfg(feature = "embedded-io-07")]
pub struct GrantWriter<'g, 'q, P: Port> {
    grant: &'g mut Grant<'q, P>,
    written: usize,
}

#[cfg(feature = "embedded-io-07")]
impl<'q, P: Port> Grant<'q, P> {
    /// An `embedded_io::Write` over the payload, from its start. When done, commit
    /// [`written`](GrantWriter::written) bytes with [`commit_len`](Self::commit_len).
    pub fn writer(&mut self) -> GrantWriter<'_, 'q, P> {
        GrantWriter { grant: self, written: 0 }
    }
}

#[cfg(feature = "embedded-io-07")]
impl<P: Port> GrantWriter<'_, '_, P> {
    /// The bytes written so far.
    #[must_use]
    pub fn written(&self) -> usize {
        self.written
    }
}
