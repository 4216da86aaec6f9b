//! The sending side of a queue of frames.

use core::time::Duration;

use crate::ground::entry::Entry;
#[cfg(feature = "embedded-io-07")]
use crate::ground::geometry::GRANULE;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::bytes::Bytes;
use crate::protocol::frames::{self, Marks, Reservation};
use crate::protocol::{Refused, Violation};

use super::attachment::Attachment;
use super::error::{ChannelError, SendError, TrySendError};
use super::grant::Grant;
use super::role::PeerStatus;
use super::send_half::{Batch, HasSendHalf, SendHalf, send_until};
use super::spans::{DAMAGED, Spans};
use super::wait::Waiting;
use super::wait_policy::{Deadline, WaitPolicy, WakeCheck};

/// The sending side of a queue of frames. One at a time; given back when dropped.
///
/// # If the consumer dies
///
/// Frames stay in the queue until its successor receives them, and the queue fills up.
/// [`peer`](Self::peer) shows that the consumer is dead.
///
/// # If the consumer misbehaves
///
/// A head out of range latches a fault that every later call reports. Nothing outside the ring is
/// ever touched.
///
/// One thread at a time may use it:
///
/// ```compile_fail,E0277
/// fn is_sync<T: Sync>(_: &T) {}
/// fn share<P: strait_core::port::Port + Sync>(producer: &strait_core::Producer<P>) {
///     is_sync(producer);
/// }
/// ```
///
/// How it works: the diagram, the table of states and the invariants are in `core/src/protocol/frames.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, TrySendError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.producer("log").unwrap();
/// producer.try_send(7, b"motor on").unwrap();
/// assert_eq!(producer.next_sequence(), 1);
/// // Nothing is sent if a frame cannot be.
/// assert_eq!(producer.try_send(7, &[0; 33]), Err(TrySendError::TooLarge));
/// ```
pub struct Producer<P: Port> {
    /// Tail and sequence, and how far the tail may go; changed by each publication.
    tx: frames::Producer,
    /// The ring's bytes: this side writes from the tail up to the consumer's head.
    pub(super) ring: Bytes,
    /// The longest payload; 0 to half the ring less two granules.
    max_len: u32,
    /// Whether grants may show the memory itself; as set in the attachment.
    pub(super) trusted: bool,
    /// The claimed role, with the common part of all producers.
    pub(super) sender: SendHalf<P>,
}

impl<P: Port> HasSendHalf<P> for Producer<P> {
    #[inline(always)]
    fn sender(&mut self) -> &mut SendHalf<P> {
        &mut self.sender
    }
}

impl<P: Port> Attachment<P> {
    /// Claims the producer's role of a queue of frames. If its last owner is proven dead, the role
    /// is taken over with every committed frame in place: then one step a granule of the ring at
    /// most.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn producer(&self, name: &str) -> Result<Producer<P>, ChannelError> {
        Producer::open(self, &self.of_kind(name, Kind::Frames)?)
    }
}

impl<P: Port> Producer<P> {
    pub(super) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let marks = Marks {
            mark: spans.a.word(offset::MARK).ok_or(DAMAGED)?,
            sequence: spans.a.word(offset::MARK_SEQUENCE).ok_or(DAMAGED)?,
        };
        let (capacity, max_len) = (entry.capacity, entry.max_len);
        let ring = Bytes::new(spans.data.clone(), capacity).ok_or(DAMAGED)?;
        let sender = SendHalf::claim(attachment, entry, &spans)?;
        let (head, highest) = (sender.head(), sender.high_water());
        let tx =
            frames::Producer::adopt(&ring, marks, head, max_len, highest).map_err(ChannelError::Fault)?;
        let trusted = attachment.is_trusted();
        Ok(Self { tx, ring, max_len, trusted, sender })
    }

    /// Sends a frame: copies `payload` in and publishes it. Steps: in proportion to the payload's
    /// length; no loop over anything that the consumer controls.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]; nothing was sent then.
    /// [`Full`](TrySendError::Full) may come while up to a quarter of the ring, and one message, are free.
    #[inline]
    pub fn try_send(&mut self, tag: u32, payload: &[u8]) -> Result<(), TrySendError> {
        if let Err(refused) = self.put(tag, payload) {
            return Err(self.sender.refused_slow(refused));
        }
        self.sender.wake_consumer().map_err(TrySendError::Fault)
    }

    /// Sends frames until one is refused, waking the consumer once; returns how many were sent.
    /// Each becomes visible by itself, in order. So if the iterator panics, or this process is killed in it, those
    /// before have been sent, and no other; after a panic the consumer is woken, too.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if the very first is refused. If a later one is, `Ok` with how many went.
    pub fn try_send_batch<'f>(
        &mut self,
        frames: impl IntoIterator<Item = (u32, &'f [u8])>,
    ) -> Result<usize, TrySendError> {
        let mut sent = 0;
        let batch = Batch::of(self);
        for (tag, payload) in frames {
            match batch.end.put(tag, payload) {
                Ok(()) => sent += 1,
                Err(refused) => {
                    let error = batch.end.sender.refused_slow(refused);
                    if sent == 0 {
                        batch.end_empty();
                        return Err(error);
                    }
                    break;
                }
            }
        }
        batch.end().map_err(TrySendError::Fault)?;
        Ok(sent)
    }

    #[inline(always)]
    pub(super) fn put(&mut self, tag: u32, payload: &[u8]) -> Result<(), Refused> {
        let slot = self.slot(payload.len())?;
        self.ring.write(slot.pos, payload);
        self.publish(slot, tag, slot.len);
        Ok(())
    }

    /// Puts the start of `bytes` in as a frame: all, or as much as the channel's maximum and the space
    /// allow, halved until it fits.
    #[cfg(feature = "embedded-io-07")]
    pub(super) fn put_part(&mut self, bytes: &[u8]) -> Result<usize, Refused> {
        let mut part = bytes.len().min(self.max_len as usize);
        loop {
            match self.put(0, &bytes[..part]) {
                Ok(()) => return Ok(part),
                // A shorter one takes as much of the ring.
                Err(Refused::Full) if part > GRANULE as usize => part /= 2,
                Err(refused) => return Err(refused),
            }
        }
    }

    /// Whether there is space for a frame of one byte, or a send returns an error other than `Full`. Not
    /// counted as a refusal.
    #[cfg(feature = "embedded-io-07")]
    pub(super) fn has_room(&mut self) -> bool {
        !matches!(self.slot(1), Err(Refused::Full))
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

    #[inline(always)]
    fn slot(&mut self, len: usize) -> Result<Reservation, Refused> {
        let len = u32::try_from(len).map_err(|_| Refused::TooLarge)?;
        let (slot, need) = self.tx.next(len)?;
        let space = &mut self.tx.space;
        if !space.has(need) {
            self.sender.room_slow(space, need)?;
        }
        Ok(slot)
    }

    /// Publishes the first `len` bytes of a reservation as a frame.
    #[inline(always)]
    pub(super) fn publish(&mut self, slot: Reservation, tag: u32, len: u32) {
        self.ring.header(slot.pos, offset::TAG).write_plain(tag);
        self.ring.header(slot.pos, offset::SEQUENCE).write_plain(slot.sequence);
        self.tx.commit(&self.ring, slot, len);
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

    /// Sets whether waits end when the consumer is gone, with [`SendError::PeerGone`]: when it is proven dead, or was
    /// there and has left. One that has not come yet is waited for. Off unless set: a wait then goes on until its
    /// deadline, and a successor may end it. Asked once a [probe period](WaitPolicy::probe), so a wait lasts that
    /// much longer than the peer at most; and when the time is up.
    pub fn end_with_peer(&mut self, on: bool) {
        self.sender.role.end_with_peer(on);
    }

    /// Sets how [`send_timeout`](Self::send_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.sender.waiting = Waiting::new(policy);
    }

    /// Sets how a send finds out whether the consumer sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.sender.check = check;
    }

    /// Bytes of the ring that are taken, headers and padding included: an upper bound, because the
    /// consumer may be releasing at the same time. Looks at the consumer's head.
    ///
    /// An impossible head latches the fault, and the last good bound is returned.
    pub fn len(&mut self) -> u32 {
        self.sender.used(&mut self.tx.space)
    }

    /// Whether nothing is in the queue. Once the consumer has released all, it stays so until the
    /// next send.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Bytes of the ring.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.tx.space.capacity()
    }

    /// The longest payload in bytes.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
    }

    /// The most bytes of the ring that were ever taken: an upper bound, too high by a quarter of the
    /// ring at most.
    #[must_use]
    pub fn high_water(&self) -> u32 {
        self.tx.space.highest()
    }

    /// Sends that were refused or timed out because there was no space, by all producers of this channel
    /// so far.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.sender.refused()
    }

    /// The sequence number that the next frame will have.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.tx.next_sequence()
    }

    /// Sets the sequence number of the next frame, for a producer that forwards frames from elsewhere: a
    /// number that was lost on the way is then missing here too. [`Consumer::len`](crate::Consumer::len)
    /// counts numbers, missing ones included. If the producer dies before it has sent under the new
    /// number, its successor does not know of it.
    pub fn set_next_sequence(&mut self, sequence: u32) {
        self.tx.set_next_sequence(sequence);
    }

    /// The consumer's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
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
