//! The receiving side of a queue of values.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::coherence::Payload;
use crate::endpoint::error::{ChannelError, RecvError, TryRecvError, WrongSize};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::recv_half::{HasRecvHalf, RecvHalf, recv_until};
use crate::endpoint::role::PeerStatus;
use crate::endpoint::spans::{DAMAGED, Spans};
use crate::endpoint::wait::Waiting;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::slots::Slots;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::release::between;
use crate::protocol::{Nothing, Violation, compact, slots};

use super::ring_of;
use super::rx::{Run, Rx};

/// The receiving side of a queue of values. One at a time; given back when dropped.
///
/// If the producer dies or misbehaves, the same happens as for [`Consumer`](crate::Consumer).
///
/// `T` is a [`Message`], or `[u8]` for a type that is known only at run time.
///
/// How it works: the diagrams and the invariants are in `core/src/protocol/slots.rs` (a channel of
/// [`slots`](crate::Channel::slots)) and `core/src/protocol/compact.rs`
/// ([`compact`](crate::Channel::compact)).
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, TryRecvError, port::NoSystem};
/// strait_core::message! {
///     struct Torque { time_ns: u64, newton_metres: f64 }
/// }
/// const PLAN: Plan = Plan::new(&[Channel::slots::<Torque>("torque", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.typed_producer::<Torque>("torque").unwrap();
/// let mut consumer = region.typed_consumer::<Torque>("torque").unwrap();
/// producer.try_send(&Torque { time_ns: 1, newton_metres: 0.5 }).unwrap();
/// assert_eq!(consumer.try_recv().unwrap().newton_metres, 0.5);
/// assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
/// ```
pub struct TypedConsumer<T: Value + ?Sized, P: Port> {
    /// The position, and the part of it that the region knows; changed by each receive and release.
    rx: Rx,
    /// The ring's slots: this side reads those from its head up to the producer's tail, and writes none.
    ring: Slots<T>,
    /// The position up to which the producer has sent at least; its word.
    mark: WordRef,
    /// How many slots there are: a power of two.
    capacity: u32,
    /// Whether a value must be dropped from a cache before it is read.
    payload: Payload,
    /// The position of the value over which the last batch panicked, if it did.
    panicked_at: Option<u32>,
    /// The claimed role, with the common part of all consumers.
    taker: RecvHalf<P>,
}

impl<T: Value + ?Sized, P: Port> HasRecvHalf<P> for TypedConsumer<T, P> {
    fn taker(&mut self) -> &mut RecvHalf<P> {
        &mut self.taker
    }
}

impl<P: Port> Attachment<P> {
    /// Claims the consumer's role of a queue of values, with the default options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_consumer<T: Message>(&self, name: &str) -> Result<TypedConsumer<T, P>, ChannelError> {
        self.typed_consumer_with(name, ConsumerOptions::new())
    }

    /// Claims the consumer's role of a queue of values.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_consumer_with<T: Message>(
        &self,
        name: &str,
        options: ConsumerOptions,
    ) -> Result<TypedConsumer<T, P>, ChannelError> {
        TypedConsumer::open(self, &self.queue_of(name, ValueType::of::<T>())?, options)
    }

    /// As [`typed_consumer_with`](Self::typed_consumer_with), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_consumer_of(
        &self,
        name: &str,
        values: ValueType,
        options: ConsumerOptions,
    ) -> Result<TypedConsumer<[u8], P>, ChannelError> {
        TypedConsumer::open(self, &self.queue_of(name, values)?, options)
    }
}

impl<T: Value + ?Sized, P: Port> TypedConsumer<T, P> {
    pub(in crate::endpoint) fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark = spans.a.word(offset::MARK).ok_or(DAMAGED)?;
        let capacity = entry.capacity;
        let ring = ring_of(&spans, entry).ok_or(DAMAGED)?;
        let taker = RecvHalf::claim(attachment, entry, &spans)?;
        let (head, release_every, hold_last) = (taker.head(), options.release_limit(), options.holds_last());
        let rx = if entry.kind == Kind::Slots {
            Rx::Slots(slots::Consumer::adopt(head, capacity, release_every, hold_last))
        } else {
            Rx::Compact(compact::Consumer::adopt(head, capacity, release_every, hold_last))
        };
        let payload = Payload::new(entry, entry.domain_a != entry.domain_b);
        Ok(Self { rx, ring, mark, capacity, payload, panicked_at: None, taker })
    }

    /// Receives a value. Steps: in proportion to its size; no loops over anything else.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] or [`TryRecvError::Fault`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError>
    where
        T: Message,
    {
        self.take(Self::read)
    }

    /// Receives a value, and its [number](Self::sequence).
    #[inline(always)]
    pub(in crate::endpoint) fn try_recv_numbered(&mut self) -> Result<(T, u32), TryRecvError>
    where
        T: Message,
    {
        self.take(|this, pos| (this.read(pos), pos))
    }

    /// Receives a value into `value`. Steps as for [`try_recv`](Self::try_recv).
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]; `WrongSize` only for `[u8]`.
    #[inline]
    pub fn try_recv_into(&mut self, value: &mut T) -> Result<(), TryRecvError> {
        if !self.ring.takes(value) {
            return Err(WrongSize { needed: self.ring.size() }.into());
        }
        self.take(|this, pos| {
            this.payload.invalidate(&this.taker.role.port, this.ring.at(pos), size_of_val(value));
            this.ring.read_into(pos, value);
        })
    }

    #[inline(always)]
    fn take<R>(&mut self, read: impl FnOnce(&Self, u32) -> R) -> Result<R, TryRecvError> {
        let pos = match self.look() {
            Ok(pos) => pos,
            Err(nothing) => return Err(self.nothing(nothing)),
        };
        let value = read(self, pos);
        // In a forked child there always is a request. This receive returns what it found; that latches the fault.
        if self.rx.head().advance(1) {
            self.publish_head_slow();
        } else if self.taker.has_space_request() {
            self.answer_request_slow();
        }
        Ok(value)
    }

    /// Passes up to `max` values to `each`, in order. Each value is done with when `each` returns:
    /// delivery is at least once, whatever the options. If `each` panics, its value comes again, unless
    /// the panic drops the consumer too: then it counts as received. If this process is killed in `each`, its
    /// successor gets that value again, and as many before it as
    /// [`release_every`](ConsumerOptions::release_every) says. Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] if there is not even one. A fault behind others shows at the next call.
    #[inline]
    pub fn recv_batch(&mut self, max: usize, mut each: impl FnMut(T)) -> Result<usize, TryRecvError>
    where
        T: Message,
    {
        let mut count = 0;
        while count < max {
            match self.look() {
                Ok(pos) => {
                    // More is asked for, so all before it is done with.
                    if self.rx.head().release() {
                        self.publish_head_slow();
                    }
                    count += self.show(pos, max - count, &mut each);
                }
                Err(nothing) => {
                    let error = self.nothing(nothing);
                    if count == 0 {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        self.release();
        // That may have found out that this is a forked child. Another fault is the next call's.
        match self.taker.role.latched() {
            Some(forked @ Violation::Forked) if P::CAN_FORK => Err(TryRecvError::Fault(forked)),
            _ => Ok(count),
        }
    }

    /// Passes the value at `pos`, which is there, and those that follow it, up to `max` and no more than
    /// may be released without telling the region; returns how many.
    #[inline(always)]
    fn show(&mut self, pos: u32, max: usize, each: &mut impl FnMut(T)) -> usize
    where
        T: Message,
    {
        let limit = self.rx.head().untold_releases().max(1).min(u32::try_from(max).unwrap_or(u32::MAX));
        let mut run =
            Run { pos, start: pos, rx: &mut self.rx, panicked_at: &mut self.panicked_at, is_over: false };
        loop {
            self.payload.invalidate(&self.taker.role.port, self.ring.at(run.pos), size_of::<T>());
            each(self.ring.read(run.pos));
            run.pos = run.pos.wrapping_add(1);
            if run.count() == limit || !run.rx.is_there(run.pos, &self.ring) {
                run.is_over = true;
                return run.count() as usize;
            }
        }
    }

    /// The value at this position, as the producer left it.
    #[inline(always)]
    fn read(&self, pos: u32) -> T
    where
        T: Message,
    {
        self.payload.invalidate(&self.taker.role.port, self.ring.at(pos), size_of::<T>());
        self.ring.read(pos)
    }

    /// The number of the value received last, counting up by one a value, modulo 2^32. A number
    /// seen before is a value delivered again.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.rx.head_ref().pos().wrapping_sub(1)
    }

    /// Releases the value that the last receive returned, without waiting for the next call.
    pub fn release(&mut self) {
        if self.rx.head().release() {
            self.publish_head_slow();
        } else if self.taker.has_space_request() {
            self.answer_request_slow();
        }
    }

    /// Releases everything received and publishes the head, so that a successor sees no value twice.
    #[cold]
    pub fn flush(&mut self) {
        let _ = self.rx.head().release();
        self.publish_head_slow();
    }

    #[inline(always)]
    fn look(&mut self) -> Result<u32, Nothing> {
        self.taker.ready()?;
        self.rx.look(&self.ring, &self.mark)
    }

    /// The error for a look that found nothing. Polling an empty queue takes this path each time.
    #[inline]
    fn nothing(&mut self, mut nothing: Nothing) -> TryRecvError {
        match &mut nothing {
            Nothing::Empty if self.rx.head_ref().is_published() => {}
            Nothing::Empty => self.flush(),
            Nothing::Violation(violation) => *violation = self.taker.role.latch(*violation),
        }
        nothing.into()
    }

    #[cold]
    fn publish_head_slow(&mut self) {
        let head = self.rx.head();
        if head.is_behind() {
            self.taker.publish_head(head.done(), |word| head.store(word));
        }
    }

    /// Space was requested. If the head is not where this side has stored it, somebody misbehaves, or this is a forked
    /// child.
    #[cold]
    fn answer_request_slow(&mut self) {
        let head = self.rx.head();
        if P::CAN_FORK && !head.is_stored(self.taker.head()) {
            return self.check_and_answer();
        }
        if head.is_behind() {
            self.taker.publish_head(head.done(), |word| head.store(word));
        }
    }

    #[cold]
    #[inline(never)]
    fn check_and_answer(&mut self) {
        if self.taker.role.check_ours().is_ok() {
            self.publish_head_slow();
        }
    }

    /// Receives a value, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError::TimedOut`] or [`RecvError::Fault`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvError>
    where
        T: Message,
    {
        let deadline = self.taker.deadline(timeout);
        self.recv_until(deadline)
    }

    /// Receives a value, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError::TimedOut`] or [`RecvError::Fault`].
    pub fn recv_until(&mut self, deadline: Deadline) -> Result<T, RecvError>
    where
        T: Message,
    {
        recv_until(self, deadline, Self::try_recv)
    }

    /// Receives a value into `value`, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; `WrongSize` only for `[u8]`.
    pub fn recv_into_timeout(&mut self, value: &mut T, timeout: Duration) -> Result<(), RecvError> {
        let deadline = self.taker.deadline(timeout);
        self.recv_into_until(value, deadline)
    }

    /// Receives a value into `value`, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; `WrongSize` only for `[u8]`.
    pub fn recv_into_until(&mut self, value: &mut T, deadline: Deadline) -> Result<(), RecvError> {
        recv_until(self, deadline, |this| this.try_recv_into(value))
    }

    /// Sets whether waits end when the producer is gone, with [`RecvError::PeerGone`]: when it is proven dead, or was
    /// there and has left. One that has not come yet is waited for. Off unless set: a wait then goes on until its
    /// deadline, and a successor may end it. Asked once a [probe period](WaitPolicy::probe), so a wait lasts that
    /// much longer than the peer at most; and when the time is up.
    pub fn end_with_peer(&mut self, on: bool) {
        self.taker.role.end_with_peer(on);
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.taker.waiting = Waiting::new(policy);
    }

    /// Values that are waiting, the one in use not counted: a lower bound, because the producer may be
    /// sending at the same time, and updates its counter after it has sent. The result is clamped to what
    /// the ring can hold.
    #[must_use]
    pub fn len(&self) -> u32 {
        // ORDERING: Relaxed; a snapshot, for the caller's information.
        let published = self.mark.load(RELAXED);
        between(self.rx.head_ref().pos(), published, self.capacity)
    }

    /// Whether the next receive would find nothing now. One load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.rx.has_more(&self.ring, &self.mark)
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The producer's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
        self.taker.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.taker.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.taker.role.latched()
    }

    /// Where the next value is, or will be.
    pub(in crate::endpoint) fn position(&self) -> u32 {
        self.rx.head_ref().pos()
    }

    /// The eight bytes at `at` of the next value, as a number; of fewer, the rest is 0. It stays there.
    pub(in crate::endpoint) fn peek_number(&mut self, at: u32) -> Result<u64, TryRecvError> {
        let pos = match self.look() {
            Ok(pos) => pos,
            Err(nothing) => return Err(self.nothing(nothing)),
        };
        self.payload.invalidate(&self.taker.role.port, self.ring.at(pos), self.ring.size() as usize);
        let mut bytes = [0; 8];
        self.ring.read_part(pos, at as usize, &mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    /// Goes to `pos`, which is the head in the region: before the first receive.
    pub(in crate::endpoint) fn start_at(&mut self, pos: u32) {
        self.rx.start_at(pos);
    }

    /// Whether the next receive returns a value or a fault.
    pub(crate) fn has_data(&mut self) -> bool {
        match self.look() {
            Ok(_) => {
                self.release();
                true
            }
            Err(nothing) if self.nothing(nothing) == TryRecvError::Empty => self.taker.role.watch.tell(),
            Err(_) => self.taker.role.tell_fault(),
        }
    }

    pub(crate) fn ends_with_peer(&self) -> bool {
        self.taker.role.watch.is_on()
    }

    pub(crate) fn finds_peer_gone(&mut self) -> bool {
        self.taker.role.finds_peer_gone()
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        self.taker.role.prospect()
    }

    pub(crate) fn park_word(&self) -> Option<&ParkWord> {
        self.taker.park_word()
    }
}

impl<T: Value + ?Sized, P: Port> Drop for TypedConsumer<T, P> {
    fn drop(&mut self) {
        if self.taker.role.latched().is_none() && self.taker.role.is_ours() {
            // A value that makes its consumer panic must not come for ever.
            if self.panicked_at == Some(self.rx.head_ref().pos()) {
                let _ = self.rx.head().advance(1);
            }
            self.flush();
        }
    }
}
