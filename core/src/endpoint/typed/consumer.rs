//! The receiving side of a queue of values.

use core::marker::PhantomData;
use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::{ChannelError, RecvError, TryRecvError};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::role::{DAMAGED, Peer, Spans};
use crate::endpoint::taker::{RecvSide, Taker, recv_until};
use crate::endpoint::wait::{Bell, Deadline, WaitPolicy};
use crate::ground::entry::{Entry, Kind, at};
use crate::ground::frame::Frame;
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::release::{LazyHead, between};
use crate::protocol::{Nothing, Violation, index, slots};

use super::Slots;

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

    fn has_more(&self, ring: &Slots, mark: &WordRef, ahead: u32) -> bool {
        match self {
            Self::Slots(rx) => !matches!(rx.peek_at(ring, ahead), Err(Nothing::Empty)),
            Self::Compact(rx) => rx.has_more(mark, ahead),
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
/// What happens if the producer dies or lies is as for [`Consumer`](crate::Consumer).
pub struct TypedConsumer<T: Frame, P: Port> {
    rx: Rx,
    ring: Slots,
    mark: WordRef,
    held: bool,
    sequence: u32,
    capacity: u32,
    taker: Taker<P>,
    values: PhantomData<T>,
}

impl<T: Frame, P: Port> RecvSide<P> for TypedConsumer<T, P> {
    fn taker(&self) -> &Taker<P> {
        &self.taker
    }
}

impl<T: Frame, P: Port> TypedConsumer<T, P> {
    pub(crate) fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let spans = Spans::of(attachment, entry)?;
        let mark = spans.a.word(at::MARK).ok_or(DAMAGED)?;
        let taker = Taker::claim(attachment, entry, &spans, options)?;
        let (head, capacity, every) = (taker.head(), entry.capacity, options.every());
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
            held: false,
            capacity,
            taker,
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
        let (index, position) = self.find()?;
        self.sequence = position;
        let mut value = T::new_zeroed();
        self.ring.span.read(index * self.ring.stride, value.as_mut_bytes());
        if self.taker.options.is_at_most_once() {
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
    fn find(&mut self) -> Result<(u32, u32), TryRecvError> {
        self.taker.ready()?;
        self.release();
        match self.rx.peek(&self.ring, &self.mark) {
            Ok(found) => Ok(found),
            Err(nothing) => Err(self.nothing_slow(nothing)),
        }
    }

    #[cold]
    fn nothing_slow(&mut self, nothing: Nothing) -> TryRecvError {
        match nothing {
            Nothing::Empty => self.flush(),
            Nothing::Violation(violation) => self.taker.role.latch(violation),
        }
        nothing.into()
    }

    #[inline]
    fn advance(&mut self) {
        if self.rx.head().advance(1) || self.taker.is_wanted() {
            self.store_head();
        }
    }

    fn store_head(&mut self) {
        let next = self.rx.head_ref().pos;
        self.taker.tell(self.rx.head(), next);
    }

    /// Receives a value, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError::TimedOut`] or [`RecvError::Fault`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvError> {
        let deadline = self.taker.deadline(timeout);
        self.recv_until(deadline)
    }

    /// Receives a value, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError::TimedOut`] or [`RecvError::Fault`].
    pub fn recv_until(&mut self, deadline: Deadline) -> Result<T, RecvError> {
        recv_until(self, deadline, Self::try_recv)
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.taker.policy = policy;
    }

    /// Values that are waiting, the one in use not counted: a lower bound, for the producer may be
    /// sending meanwhile, and notes what it has sent after it has. A lie is cut to
    /// what the ring can hold.
    #[must_use]
    pub fn len(&self) -> u32 {
        // ORDERING: Relaxed; a snapshot, for the caller's information.
        let published = self.mark.load(RELAXED);
        let next = self.rx.head_ref().pos.wrapping_add(u32::from(self.held));
        between(next, published, self.capacity)
    }

    /// Whether the next receive would find nothing now. One load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.rx.has_more(&self.ring, &self.mark, u32::from(self.held))
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// What is known of the producer.
    #[must_use]
    pub fn peer(&self) -> Peer {
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

    /// Whether the next receive has something to say, a fault included.
    pub(crate) fn has_data(&mut self) -> bool {
        self.find() != Err(TryRecvError::Empty)
    }

    pub(crate) fn bell(&self) -> Option<&Bell> {
        self.taker.bell()
    }
}

impl<T: Frame, P: Port> Drop for TypedConsumer<T, P> {
    fn drop(&mut self) {
        if self.taker.role.latched().is_none() && self.taker.role.is_ours() {
            self.flush();
        }
    }
}
