//! The sending side of a queue of values.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::coherence::Payload;
use crate::endpoint::error::{ChannelError, SendError, TrySendError};
use crate::endpoint::role::PeerStatus;
use crate::endpoint::send_half::{Batch, HasSendHalf, SendHalf, send_until};
use crate::endpoint::spans::{DAMAGED, Spans};
use crate::endpoint::wait::Waiting;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::slots::Slots;
use crate::protocol::release::Space;
use crate::protocol::{Refused, Violation, compact, slots};

use super::ring_of;

/// The producer's half of whichever publication the directory names.
enum Tx {
    Slots(slots::Producer),
    Compact(compact::Producer),
}

impl Tx {
    /// Publishes the value at `pos`, the next position, which was written.
    #[inline(always)]
    fn publish<T: Value + ?Sized>(&mut self, ring: &Slots<T>, pos: u32) {
        match self {
            Self::Slots(tx) => tx.commit(slots::publish(ring, pos)),
            Self::Compact(tx) => tx.commit(pos.wrapping_add(1)),
        }
    }

    #[inline(always)]
    fn space(&mut self) -> &mut Space {
        match self {
            Self::Slots(tx) => &mut tx.space,
            Self::Compact(tx) => &mut tx.space,
        }
    }

    fn space_ref(&self) -> &Space {
        match self {
            Self::Slots(tx) => &tx.space,
            Self::Compact(tx) => &tx.space,
        }
    }
}

/// The sending side of a queue of values. One at a time; given back when dropped.
///
/// If the consumer dies or misbehaves, the same happens as for [`Producer`](crate::Producer).
///
/// `T` is a [`Message`](crate::Message), or `[u8]` for a type that is known only at run time.
///
/// How it works: the diagrams and the invariants are in `core/src/protocol/slots.rs` (a channel of
/// [`slots`](crate::Channel::slots)) and `core/src/protocol/compact.rs`
/// ([`compact`](crate::Channel::compact)).
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, TrySendError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<f32>("torque", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.typed_producer::<f32>("torque").unwrap();
/// producer.try_send(&0.5).unwrap();
/// // A batch stops at the first value for which there is no space.
/// assert_eq!(producer.try_send_batch([0.6, 0.7, 0.8, 0.9]), Ok(3));
/// assert_eq!(producer.try_send(&1.0), Err(TrySendError::Full));
/// ```
pub struct TypedProducer<T: Value + ?Sized, P: Port> {
    /// Tail, and how far it may go; changed by each publication.
    tx: Tx,
    /// The ring's slots: this side writes those from the tail up to the consumer's head.
    ring: Slots<T>,
    /// Whether a value must be cleaned from a cache before it is published.
    payload: Payload,
    /// The claimed role, with the common part of all producers.
    sender: SendHalf<P>,
}

impl<T: Value + ?Sized, P: Port> HasSendHalf<P> for TypedProducer<T, P> {
    #[inline(always)]
    fn sender(&mut self) -> &mut SendHalf<P> {
        &mut self.sender
    }
}

impl<P: Port> Attachment<P> {
    /// Claims the producer's role of a queue of values.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_producer<T: Message>(&self, name: &str) -> Result<TypedProducer<T, P>, ChannelError> {
        TypedProducer::open(self, &self.queue_of(name, ValueType::of::<T>())?)
    }

    /// As [`typed_producer`](Self::typed_producer), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_producer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<TypedProducer<[u8], P>, ChannelError> {
        TypedProducer::open(self, &self.queue_of(name, values)?)
    }
}

impl<T: Value + ?Sized, P: Port> TypedProducer<T, P> {
    pub(in crate::endpoint) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark = spans.a.word(offset::MARK).ok_or(DAMAGED)?;
        let ring = ring_of(&spans, entry).ok_or(DAMAGED)?;
        let sender = SendHalf::claim(attachment, entry, &spans)?;
        let (head, highest) = (sender.head(), sender.high_water());
        let tx = if entry.kind == Kind::Slots {
            slots::Producer::adopt(&ring, mark, head, highest).map(Tx::Slots)
        } else {
            compact::Producer::adopt(mark, head, entry.capacity, highest).map(Tx::Compact)
        }
        .map_err(ChannelError::Fault)?;
        let payload = Payload::new(entry, entry.domain_a != entry.domain_b);
        Ok(Self { tx, ring, payload, sender })
    }

    /// Sends a value. Steps: in proportion to its size; no loops over anything else.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Fault`], or (only for `[u8]`) `WrongSize`; nothing was
    /// sent then. [`Full`](TrySendError::Full) may come while up to a quarter of the ring, and one
    /// message, are free.
    #[inline]
    pub fn try_send(&mut self, value: &T) -> Result<(), TrySendError> {
        if !self.ring.takes(value) {
            return Err(TrySendError::WrongSize);
        }
        if let Err(refused) = self.put(value) {
            return Err(self.sender.refused_slow(refused));
        }
        self.sender.wake_consumer().map_err(TrySendError::Fault)
    }

    /// Sends values until there are no more or no space is left, waking the consumer once; returns how many
    /// were sent. The iterator is asked for a value only when there is space for it: pass
    /// `values.by_ref()` to keep the rest. They become visible in order, in a compact queue some at a
    /// time. Steps: in proportion to the values sent. An iterator that never ends is sent for as long as
    /// a consumer makes room.
    ///
    /// If the iterator panics, the values before that have been sent, and the consumer is woken. If this process is
    /// killed in it, those before have been sent in a queue of [slots](crate::Channel::slots); in a
    /// [compact](crate::Channel::compact) one, those that had become visible. Never half a value, nor one out of
    /// order.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if there is no space for the very first. If there is none for a later one, `Ok`
    /// with how many were sent.
    #[inline]
    pub fn try_send_batch(&mut self, values: impl IntoIterator<Item = T>) -> Result<usize, TrySendError>
    where
        T: Sized,
    {
        let (mut values, mut sent) = (values.into_iter(), 0);
        let batch = Batch::of(self);
        while values.size_hint().1 != Some(0) {
            if let Err(refused) = batch.end.room() {
                let error = batch.end.sender.refused_slow(refused);
                if sent == 0 {
                    batch.end_empty();
                    return Err(error);
                }
                break;
            }
            let most = batch.end.tx.space().known();
            let count = batch.end.put_run(values.by_ref().take(most as usize));
            sent += count as usize;
            if count < most {
                break;
            }
        }
        batch.end().map_err(TrySendError::Fault)?;
        Ok(sent)
    }

    /// Writes values while there is space, one after the other, and publishes those that the iterator
    /// yielded even if it panics; returns how many.
    #[inline(always)]
    fn put_run(&mut self, values: impl Iterator<Item = T>) -> u32
    where
        T: Sized,
    {
        let start = self.tx.space().tail();
        let in_slots = matches!(self.tx, Tx::Slots(_));
        let mut run = Run { producer: self, pos: start };
        if in_slots {
            for value in values {
                run.producer.write(run.pos, &value);
                run.pos = slots::publish(&run.producer.ring, run.pos);
            }
        } else {
            for value in values {
                run.producer.write(run.pos, &value);
                run.pos = run.pos.wrapping_add(1);
            }
        }
        run.pos.wrapping_sub(start)
    }

    /// Puts in a value of the type's size.
    #[inline(always)]
    pub(in crate::endpoint) fn put(&mut self, value: &T) -> Result<(), Refused> {
        self.room()?;
        let pos = self.tx.space().tail();
        self.write(pos, value);
        self.tx.publish(&self.ring, pos);
        Ok(())
    }

    /// How many values are known to fit.
    #[inline(always)]
    pub(in crate::endpoint) fn known(&self) -> u32 {
        self.tx.space_ref().known()
    }

    /// The head that was seen last.
    pub(in crate::endpoint) fn known_head(&self) -> u32 {
        self.tx.space_ref().head()
    }

    /// Whether a value is of the type's size.
    pub(in crate::endpoint) fn takes(&self, value: &T) -> bool {
        self.ring.takes(value)
    }

    /// How many values fit without another look at the head, at least one.
    pub(in crate::endpoint) fn room_for_run(&mut self) -> Result<u32, Refused> {
        self.room()?;
        Ok(self.known())
    }

    /// Checks that there is space for one value.
    #[inline(always)]
    fn room(&mut self) -> Result<(), Refused> {
        let space = self.tx.space();
        if space.has(1) { Ok(()) } else { self.sender.room_slow(space, 1) }
    }

    /// Writes a value into the slot at `pos`, which is free.
    #[inline(always)]
    fn write(&self, pos: u32, value: &T) {
        self.ring.write(pos, value);
        self.payload.clean(&self.sender.role.port, self.ring.at(pos), size_of_val(value));
    }

    /// Sends a value, waiting up to `timeout` for space.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] or [`SendError::Fault`], or (only for `[u8]`) `WrongSize`; nothing was
    /// sent then.
    pub fn send_timeout(&mut self, value: &T, timeout: Duration) -> Result<(), SendError> {
        let deadline = self.sender.deadline(timeout);
        self.send_until(value, deadline)
    }

    /// Sends a value, waiting until `deadline` for space.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] or [`SendError::Fault`], or (only for `[u8]`) `WrongSize`; nothing was
    /// sent then.
    pub fn send_until(&mut self, value: &T, deadline: Deadline) -> Result<(), SendError> {
        if !self.ring.takes(value) {
            return Err(SendError::WrongSize);
        }
        send_until(self, deadline, |this| this.put(value))
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

    /// Slots that are taken: an upper bound, because the consumer may be releasing at the same time.
    /// Looks at the consumer's head; an impossible one latches the fault, and the last good bound is
    /// returned.
    pub fn len(&mut self) -> u32 {
        self.sender.used(self.tx.space())
    }

    /// Whether nothing is in the queue.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.tx.space_ref().capacity()
    }

    /// The most slots that were ever taken: an upper bound, too high by a quarter of the ring at
    /// most.
    #[must_use]
    pub fn high_water(&self) -> u32 {
        self.tx.space_ref().highest()
    }

    /// Sends that were refused or timed out because there was no space, by all producers of this channel.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.sender.refused()
    }

    /// The sequence number that the next value will have.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.tx.space_ref().tail()
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

/// Values of a batch that were written one after the other, up to `pos`; committed when dropped.
struct Run<'r, T: Value + ?Sized, P: Port> {
    producer: &'r mut TypedProducer<T, P>,
    pos: u32,
}

impl<T: Value + ?Sized, P: Port> Drop for Run<'_, T, P> {
    #[inline(always)]
    fn drop(&mut self) {
        match &mut self.producer.tx {
            Tx::Slots(tx) => tx.commit(self.pos),
            Tx::Compact(tx) => tx.commit(self.pos),
        }
    }
}
