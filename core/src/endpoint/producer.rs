//! The sending side of a queue of frames.

use core::time::Duration;

use crate::ground::entry::{Entry, GRANULE, at};
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::sync::{Span, WordRef};
use crate::protocol::bytes::{self, Slot};
use crate::protocol::{Refused, Violation};

use super::attachment::Attachment;
use super::error::{ChannelError, SendError, TrySendError};
use super::role::{DAMAGED, Peer, Spans};
use super::sender::{SendSide, Sender, send_until};
use super::wait::{Deadline, WaitPolicy};

/// The byte ring of a channel.
pub(crate) struct Bytes(pub Span);

impl bytes::Ring for Bytes {
    #[inline(always)]
    fn commit(&self, place: u32) -> WordRef {
        self.0.header(place + at::COMMIT)
    }

    #[inline]
    fn sequence(&self, place: u32) -> u32 {
        let mut word = [0; 4];
        self.0.read(place + at::SEQUENCE, &mut word);
        u32::from_le_bytes(word)
    }
}

/// The sending side of a queue of frames. One at a time; given back when dropped.
///
/// # If the consumer dies
///
/// Frames stay until its successor has them; meanwhile the queue fills up. [`peer`](Self::peer)
/// tells.
///
/// # If the consumer lies
///
/// A head out of range latches a fault that every later call reports. Nothing outside the ring is
/// ever touched.
///
/// One thread at a time may use it:
///
/// ```compile_fail,E0277
/// fn is_sync<T: Sync>(_: &T) {}
/// fn share<P: strait_core::Port + Sync>(producer: &strait_core::Producer<P>) {
///     is_sync(producer);
/// }
/// ```
pub struct Producer<P: Port> {
    tx: bytes::Producer,
    ring: Bytes,
    mark: WordRef,
    mark_sequence: WordRef,
    max_frame: u32,
    trusted: bool,
    sender: Sender<P>,
}

impl<P: Port> SendSide<P> for Producer<P> {
    #[inline(always)]
    fn sender(&mut self) -> &mut Sender<P> {
        &mut self.sender
    }
}

impl<P: Port> Producer<P> {
    pub(crate) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark = spans.a.word(at::MARK).ok_or(DAMAGED)?;
        let mark_sequence = spans.a.word(at::MARK_SEQUENCE).ok_or(DAMAGED)?;
        let ring = Bytes(spans.data.clone());
        let mut sender = Sender::claim(attachment, entry, &spans)?;
        let (capacity, max_frame) = (entry.capacity, entry.max_frame);
        let tx = bytes::Producer::adopt(&ring, &mark, &mark_sequence, sender.head(), capacity, max_frame)
            .map_err(ChannelError::Fault)?;
        sender.sent(tx.space().used());
        let trusted = attachment.is_trusted();
        Ok(Self { tx, ring, mark, mark_sequence, max_frame, trusted, sender })
    }

    /// Sends a frame: copies `payload` in and publishes it. Steps: in proportion to the payload's
    /// length; no loop over anything that the consumer controls.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]; nothing was sent then.
    #[inline]
    pub fn try_send(&mut self, tag: u32, payload: &[u8]) -> Result<(), TrySendError> {
        if let Err(refused) = self.put(tag, payload) {
            return Err(self.sender.refused_slow(refused));
        }
        self.sender.ring();
        Ok(())
    }

    /// Sends frames until one is refused, waking the consumer once; answers how many were sent.
    /// Each becomes visible by itself, in order.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if the very first is refused. If a later one is, `Ok` with how many went.
    pub fn try_send_batch<'f>(
        &mut self,
        frames: impl IntoIterator<Item = (u32, &'f [u8])>,
    ) -> Result<usize, TrySendError> {
        let mut sent = 0;
        for (tag, payload) in frames {
            match self.put(tag, payload) {
                Ok(()) => sent += 1,
                Err(refused) => {
                    let error = self.sender.refused_slow(refused);
                    if sent == 0 {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        self.sender.ring();
        Ok(sent)
    }

    #[inline]
    fn put(&mut self, tag: u32, payload: &[u8]) -> Result<(), Refused> {
        let slot = self.slot(payload.len())?;
        self.ring.0.write(self.tx.place(&slot) + GRANULE, payload);
        self.publish(slot, tag, slot.len);
        Ok(())
    }

    /// Reserves space for a frame of `len` bytes, to be written in place. Nothing is visible before
    /// [`Grant::commit`]; a grant that is dropped, or whose owner dies, was never there.
    ///
    /// # Errors
    ///
    /// [`TrySendError`].
    pub fn reserve(&mut self, len: usize) -> Result<Grant<'_, P>, TrySendError> {
        match self.slot(len) {
            Ok(slot) => Ok(Grant { producer: self, slot, tag: 0 }),
            Err(refused) => Err(self.sender.refused_slow(refused)),
        }
    }

    #[inline]
    fn slot(&mut self, len: usize) -> Result<Slot, Refused> {
        self.sender.ready()?;
        let len = u32::try_from(len).map_err(|_| Refused::TooLarge)?;
        self.tx.reserve(len, self.sender.head())
    }

    #[inline]
    fn publish(&mut self, slot: Slot, tag: u32, len: u32) {
        let place = self.tx.place(&slot);
        let mut header = [0; 12];
        header[..4].copy_from_slice(&tag.to_le_bytes());
        header[4..8].copy_from_slice(&slot.sequence.to_le_bytes());
        self.ring.0.write(place + at::TAG, &header);
        self.tx.commit(&self.ring, slot, len, &self.mark, &self.mark_sequence);
        self.sender.sent(self.tx.space().used());
    }

    /// Sends a frame, waiting up to `timeout` for space.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was sent then.
    pub fn send_timeout(&mut self, tag: u32, payload: &[u8], timeout: Duration) -> Result<(), SendError> {
        let deadline = self.sender.deadline(timeout);
        self.send_until(tag, payload, deadline)
    }

    /// Sends a frame, waiting until `deadline` for space.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was sent then.
    pub fn send_until(&mut self, tag: u32, payload: &[u8], deadline: Deadline) -> Result<(), SendError> {
        send_until(self, deadline, |this| this.put(tag, payload))
    }

    /// Sets how [`send_timeout`](Self::send_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.sender.policy = policy;
    }

    /// Bytes of the ring that are taken, headers and padding included: an upper bound, for the
    /// consumer may be releasing meanwhile. Looks at the consumer's head.
    ///
    /// A head that is a lie latches the fault and gives the last bound that was good.
    pub fn len(&mut self) -> u32 {
        self.sender.used(self.tx.space())
    }

    /// Whether nothing is in the queue. Once the consumer has released all, it stays so until the
    /// next send.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Bytes of the ring.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.tx.space().capacity
    }

    /// The longest payload in bytes.
    #[must_use]
    pub fn max_frame(&self) -> u32 {
        self.max_frame
    }

    /// The most bytes of the ring that were ever taken: an upper bound.
    #[must_use]
    pub fn high_water(&self) -> u32 {
        self.sender.high_water()
    }

    /// Sends that were refused or timed out for want of space, by all producers of this channel so far.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.sender.refused()
    }

    /// The sequence number that the next frame will have.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.tx.next_sequence()
    }

    /// What is known of the consumer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.sender.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.sender.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.sender.role.latched()
    }
}

/// Space for one frame, the producer's own until it is committed.
///
/// Bytes that are not written keep what a former frame left there.
///
/// A grant is committed once, and there is one at a time:
///
/// ```compile_fail,E0382
/// fn twice<P: strait_core::Port>(grant: strait_core::Grant<'_, P>) {
///     grant.commit();
///     grant.commit();
/// }
/// ```
///
/// ```compile_fail,E0499
/// fn two<P: strait_core::Port>(producer: &mut strait_core::Producer<P>) {
///     let one = producer.reserve(8);
///     let two = producer.reserve(8);
///     drop((one, two));
/// }
/// ```
#[must_use = "a grant that is not committed sends nothing"]
pub struct Grant<'q, P: Port> {
    producer: &'q mut Producer<P>,
    slot: Slot,
    tag: u32,
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

    /// Copies `bytes` into the payload from `offset` on; what would lie outside is left out, and
    /// the answer is how many were copied.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> usize {
        let room = self.len().saturating_sub(offset);
        let bytes = &bytes[..bytes.len().min(room)];
        if !bytes.is_empty() {
            let place = self.producer.tx.place(&self.slot) + GRANULE;
            self.producer.ring.0.write(place + offset as u32, bytes);
        }
        bytes.len()
    }

    /// The payload itself, if the attachment [trusts its peers](Attachment::trusting_peers).
    #[must_use]
    pub fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        if !self.producer.trusted {
            return None;
        }
        let place = self.producer.tx.place(&self.slot) + GRANULE;
        let bytes = self.producer.ring.0.as_ptr(place, self.len());
        // SAFETY: the range was checked, it is the producer's alone until the commit, and whoever
        // made the attachment promised that all peers keep to that.
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
        self.producer.sender.ring();
    }
}

#[cfg(feature = "embedded-io-07")]
mod io {
    use embedded_io::{ErrorType, Write};

    use super::{GrantWriter, Port, TrySendError};

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
