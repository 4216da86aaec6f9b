//! Both sides of a queue of values of one type, over either publication.

use core::marker::PhantomData;
use core::time::Duration;

use crate::ground::entry::{Entry, Kind, at};
use crate::ground::frame::Frame;
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::sync::{Span, WordRef};
use crate::protocol::release::{LazyHead, Space};
use crate::protocol::{Nothing, Refused, Violation, index, slots};

use super::attachment::Attachment;
use super::consumer::{ConsumerOptions, Releases};
use super::error::{ChannelError, RecvError, SendError, TryRecvError, TrySendError};
use super::producer::Accounts;
use super::role::{DAMAGED, Peer, Role, Side, Spans};
use super::wait::{Bell, Deadline, Sleepers, WaitPolicy, wait_until};

/// The slots of a channel.
struct Slots {
    span: Span,
    stride: u32,
}

impl slots::Ring for Slots {
    #[inline(always)]
    fn sequence(&self, index: u32) -> WordRef {
        self.span.header((index + 1) * self.stride - 4)
    }
}

/// The producer's half of whichever publication the directory names.
enum Tx {
    Slots(slots::Producer),
    Compact(index::Producer),
}

impl Tx {
    #[inline]
    fn reserve(&mut self, head: &WordRef) -> Result<u32, Refused> {
        match self {
            Self::Slots(tx) => tx.reserve(head),
            Self::Compact(tx) => tx.reserve(head),
        }
    }

    #[inline]
    fn commit(&mut self, ring: &Slots, mark: &WordRef) {
        match self {
            Self::Slots(tx) => tx.commit(ring, mark),
            Self::Compact(tx) => tx.commit(mark),
        }
    }

    #[inline]
    fn space(&self) -> &Space {
        match self {
            Self::Slots(tx) => tx.space(),
            Self::Compact(tx) => tx.space(),
        }
    }
}

/// The sending side of a queue of values. One at a time; given back when dropped.
///
/// What happens if the consumer dies or lies is as for [`Producer`](super::producer::Producer).
pub struct TypedProducer<T: Frame, P: Port> {
    tx: Tx,
    ring: Slots,
    mark: WordRef,
    accounts: Accounts,
    policy: WaitPolicy,
    role: Role<P>,
    values: PhantomData<T>,
}

impl<T: Frame, P: Port> TypedProducer<T, P> {
    pub(crate) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark = spans.a.word(at::MARK).ok_or(DAMAGED)?;
        let ring = Slots { span: spans.data.clone(), stride: entry.stride };
        let role = Role::claim(attachment, entry, Side::A)?;
        let mut accounts = Accounts::open(attachment, entry, &spans)?;
        let head = &accounts.head;
        let tx = if entry.kind == Kind::Slots {
            slots::Producer::adopt(&ring, &mark, head, entry.capacity).map(Tx::Slots)
        } else {
            index::Producer::adopt(&mark, head, entry.capacity).map(Tx::Compact)
        }
        .map_err(ChannelError::Fault)?;
        accounts.sent(0);
        let policy = WaitPolicy::parking();
        Ok(Self { tx, ring, mark, accounts, policy, role, values: PhantomData })
    }

    /// Sends a value. Steps: in proportion to its size; no loops over anything else.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Fault`]; nothing was sent then.
    #[inline]
    pub fn try_send(&mut self, value: &T) -> Result<(), TrySendError> {
        if let Err(refused) = self.put(value) {
            return Err(self.refused_slow(refused));
        }
        self.ring_consumer();
        Ok(())
    }

    /// Sends values until one is refused, waking the consumer once; answers how many were sent.
    /// Each becomes visible by itself, in order.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if the very first is refused. If a later one is, `Ok` with how many went.
    pub fn try_send_batch(&mut self, values: &[T]) -> Result<usize, TrySendError> {
        let mut sent = 0;
        for value in values {
            match self.put(value) {
                Ok(()) => sent += 1,
                Err(refused) if sent == 0 => return Err(self.refused_slow(refused)),
                Err(_) => break,
            }
        }
        self.ring_consumer();
        Ok(sent)
    }

    #[inline]
    fn put(&mut self, value: &T) -> Result<(), Refused> {
        if let Some(violation) = self.role.latched() {
            return Err(Refused::Violation(violation));
        }
        let index = self.tx.reserve(&self.accounts.head)?;
        self.ring.span.write(index * self.ring.stride, value.as_bytes());
        self.tx.commit(&self.ring, &self.mark);
        self.accounts.sent(self.tx.space().used());
        Ok(())
    }

    #[cold]
    fn refused_slow(&mut self, refused: Refused) -> TrySendError {
        match refused {
            Refused::Full => self.accounts.full(),
            Refused::TooLarge => {}
            Refused::Violation(violation) => self.role.latch(violation),
        }
        refused.into()
    }

    #[inline]
    fn ring_consumer(&self) {
        if let Some(bell) = &self.accounts.peers {
            bell.ring(&self.role.port);
        }
    }

    /// Sends a value, waiting up to `timeout` for space.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] or [`SendError::Fault`]; nothing was sent then.
    pub fn send_timeout(&mut self, value: &T, timeout: Duration) -> Result<(), SendError> {
        let deadline = Deadline::after(&self.role.port, timeout);
        self.send_until(value, deadline)
    }

    /// Sends a value, waiting until `deadline` for space.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] or [`SendError::Fault`]; nothing was sent then.
    pub fn send_until(&mut self, value: &T, deadline: Deadline) -> Result<(), SendError> {
        let port = self.role.port.clone();
        let bell = self.accounts.bell().cloned();
        let policy = self.policy;
        let look = || match self.put(value) {
            Ok(()) => Some(Ok(())),
            Err(Refused::Full) => {
                self.accounts.ask();
                None
            }
            Err(Refused::TooLarge) => Some(Err(SendError::TooLarge)),
            Err(Refused::Violation(violation)) => {
                self.role.latch(violation);
                Some(Err(SendError::Fault(violation)))
            }
        };
        match wait_until(&port, bell.as_ref(), Sleepers::One, policy, deadline, look) {
            Some(Ok(())) => {
                self.ring_consumer();
                Ok(())
            }
            Some(Err(error)) => Err(error),
            None => {
                self.accounts.full();
                Err(SendError::TimedOut)
            }
        }
    }

    /// Sets how [`send_timeout`](Self::send_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.policy = policy;
    }

    /// Slots that are taken: an upper bound, for the consumer may be releasing meanwhile. Looks at
    /// the consumer's head; a lie there latches the fault and gives the last bound that was good.
    pub fn len(&mut self) -> u32 {
        let mut space = *self.tx.space();
        match space.refresh(&self.accounts.head) {
            Ok(()) => space.used(),
            Err(violation) => {
                self.role.latch(violation);
                self.tx.space().used()
            }
        }
    }

    /// Whether nothing is in the queue.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.tx.space().capacity
    }

    /// The most slots that were ever taken: an upper bound.
    #[must_use]
    pub fn high_water(&self) -> u32 {
        self.accounts.high_water()
    }

    /// Sends that were refused or timed out for want of space, by all producers of this channel.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.accounts.refused()
    }

    /// What is known of the consumer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.role.latched()
    }
}

/// The consumer's half of whichever publication the directory names.
enum Rx {
    Slots(slots::Consumer),
    Compact(index::Consumer),
}

impl Rx {
    #[inline]
    fn peek(&mut self, ring: &Slots, mark: &WordRef) -> Result<(u32, u32), Nothing> {
        match self {
            Self::Slots(rx) => rx.peek_at(ring, 0),
            Self::Compact(rx) => rx.peek_at(mark, 0),
        }
    }

    #[inline]
    fn head(&mut self) -> &mut LazyHead {
        match self {
            Self::Slots(rx) => rx.head(),
            Self::Compact(rx) => rx.head(),
        }
    }

    fn head_ref(&self) -> &LazyHead {
        match self {
            Self::Slots(rx) => rx.head_ref(),
            Self::Compact(rx) => rx.head_ref(),
        }
    }
}

/// The receiving side of a queue of values. One at a time; given back when dropped.
///
/// What happens if the producer dies or lies is as for [`Consumer`](super::consumer::Consumer).
pub struct TypedConsumer<T: Frame, P: Port> {
    rx: Rx,
    ring: Slots,
    mark: WordRef,
    releases: Releases,
    held: bool,
    sequence: u32,
    options: ConsumerOptions,
    capacity: u32,
    policy: WaitPolicy,
    role: Role<P>,
    values: PhantomData<T>,
}

impl<T: Frame, P: Port> TypedConsumer<T, P> {
    pub(crate) fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark = spans.a.word(at::MARK).ok_or(DAMAGED)?;
        let releases = Releases::open(attachment, entry, &spans)?;
        let role = Role::claim(attachment, entry, Side::B)?;
        let (head, capacity, every) = (&releases.head, entry.capacity, options.every());
        let rx = if entry.kind == Kind::Slots {
            slots::Consumer::adopt(head, capacity, every).map(Rx::Slots)
        } else {
            index::Consumer::adopt(head, capacity, every).map(Rx::Compact)
        }
        .map_err(ChannelError::Fault)?;
        Ok(Self {
            sequence: rx.head_ref().pos.wrapping_sub(1),
            rx,
            ring: Slots { span: spans.data.clone(), stride: entry.stride },
            mark,
            releases,
            held: false,
            options,
            capacity,
            policy: WaitPolicy::parking(),
            role,
            values: PhantomData,
        })
    }

    /// Receives a value. Steps: in proportion to its size; no loops over anything else.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] or [`TryRecvError::Fault`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let index = self.find()?;
        let mut value = T::new_zeroed();
        self.ring.span.read(index * self.ring.stride, value.as_mut_bytes());
        if self.options.is_at_most_once() {
            self.advance();
        } else {
            self.held = true;
        }
        Ok(value)
    }

    /// Receives values into `into` until it is full or nothing is left; answers how many. Each is
    /// released as the next is copied, the last as by [`try_recv`](Self::try_recv).
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] if there is not even one. A fault behind others shows at the next call.
    pub fn try_recv_batch(&mut self, into: &mut [T]) -> Result<usize, TryRecvError> {
        for (count, place) in into.iter_mut().enumerate() {
            match self.try_recv() {
                Ok(value) => *place = value,
                Err(error) if count == 0 => return Err(error),
                Err(_) => return Ok(count),
            }
        }
        Ok(into.len())
    }

    /// The number of the value received last, counting up by one a value, modulo 2^32. A number
    /// seen before is a value delivered again.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Releases what the last receive returned, without waiting for the next call.
    #[inline]
    pub fn release(&mut self) {
        if self.held {
            self.held = false;
            self.advance();
        }
    }

    /// Releases, and tells the region so: after it, a successor would see nothing again.
    pub fn flush(&mut self) {
        self.release();
        if self.rx.head_ref().is_behind() {
            self.store_head();
        }
    }

    #[inline]
    fn find(&mut self) -> Result<u32, TryRecvError> {
        if let Some(violation) = self.role.latched() {
            return Err(TryRecvError::Fault(violation));
        }
        self.release();
        match self.rx.peek(&self.ring, &self.mark) {
            Ok((index, position)) => {
                self.sequence = position;
                Ok(index)
            }
            Err(nothing) => Err(self.nothing_slow(nothing)),
        }
    }

    #[cold]
    fn nothing_slow(&mut self, nothing: Nothing) -> TryRecvError {
        match nothing {
            Nothing::Empty => self.flush(),
            Nothing::Violation(violation) => self.role.latch(violation),
        }
        nothing.into()
    }

    #[inline]
    fn advance(&mut self) {
        if self.rx.head().advance(1) || self.releases.are_wanted() {
            self.store_head();
        }
    }

    fn store_head(&mut self) {
        let next = self.rx.head_ref().pos;
        self.releases.store(self.rx.head(), next, &self.role.port);
    }

    /// Receives a value, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError::TimedOut`] or [`RecvError::Fault`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvError> {
        let deadline = Deadline::after(&self.role.port, timeout);
        self.recv_until(deadline)
    }

    /// Receives a value, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError::TimedOut`] or [`RecvError::Fault`].
    pub fn recv_until(&mut self, deadline: Deadline) -> Result<T, RecvError> {
        let port = self.role.port.clone();
        let bell = self.releases.bell().cloned();
        let policy = self.policy;
        let look = || match self.try_recv() {
            Ok(value) => Some(Ok(value)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::TooSmall { needed }) => Some(Err(RecvError::TooSmall { needed })),
            Err(TryRecvError::Fault(violation)) => Some(Err(RecvError::Fault(violation))),
        };
        wait_until(&port, bell.as_ref(), Sleepers::One, policy, deadline, look)
            .unwrap_or(Err(RecvError::TimedOut))
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.policy = policy;
    }

    /// Values that are waiting, the one in use not counted: a lower bound, for the producer may be
    /// sending meanwhile. A lie of the producer's is cut to what the ring can hold.
    #[must_use]
    pub fn len(&self) -> u32 {
        // ORDERING: Relaxed; a snapshot, for the caller's information.
        let published = self.mark.load(crate::ground::sync::order::RELAXED);
        let next = self.rx.head_ref().pos.wrapping_add(u32::from(self.held));
        published.wrapping_sub(next).min(self.capacity)
    }

    /// Whether no value is waiting now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// What is known of the producer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.role.latched()
    }

    pub(crate) fn has_data(&mut self) -> bool {
        self.find().is_ok()
    }

    pub(crate) fn bell(&self) -> Option<&Bell> {
        self.releases.bell()
    }
}

impl<T: Frame, P: Port> Drop for TypedConsumer<T, P> {
    fn drop(&mut self) {
        if self.role.latched().is_none() {
            self.flush();
        }
    }
}
