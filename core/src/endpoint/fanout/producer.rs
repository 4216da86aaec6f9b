//! The producer of a queue with several consumers.

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::{ChannelError, TrySendError};
use crate::endpoint::send_half::HasSendHalf;
use crate::endpoint::spans::DAMAGED;
use crate::endpoint::typed::TypedProducer;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::protocol::fanout::{Bound, Member, Members};
use crate::protocol::{Refused, Violation};

use super::group::Group;

/// The sending side of a queue of values with several consumers. One at a time; given back when dropped.
///
/// It is bounded by the slowest consumer that has joined and is not proven dead. Whether a consumer is dead is asked
/// when there is no space, once a [probe period](WaitPolicy::probe) at most.
///
/// # If this producer dies
///
/// Every value that it published is delivered to each consumer. A successor takes the role over with proof of
/// death and goes on, as of a [`TypedProducer`].
///
/// # Examples
///
/// A consumer that has left bounds nobody:
///
/// ```
/// use strait_core::{Channel, FanoutProducer, Plan, StaticRegion, TrySendError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::compact::<u16>("samples", 2).consumers(3)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut samples: FanoutProducer<u16, _> = region.fanout_producer("samples").unwrap();
/// let plot = region.fanout_consumer::<u16>("samples", 2).unwrap();
/// assert_eq!(samples.try_send_batch([1, 2, 3]), Ok(2));
/// assert_eq!(samples.try_send(&3), Err(TrySendError::Full));
/// let slowest = samples.slowest().unwrap();
/// assert_eq!((slowest.consumer, slowest.lag), (2, 2));
/// drop(plot);
/// assert_eq!(samples.try_send(&3), Ok(()));
/// ```
pub struct FanoutProducer<T: Value + ?Sized, P: Port> {
    pub(super) inner: TypedProducer<T, P>,
    /// The consumers, and how far the slowest has released.
    pub(super) members: Members,
    /// Until when no consumer's death is to be proven: that was tried.
    probed_until: Deadline,
}

/// The consumer that is furthest behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowestConsumer {
    /// Its number, from 0.
    pub consumer: u32,
    /// The participant; `None` of a word that names nobody.
    pub who: Option<Ident>,
    /// How many values it has not released.
    pub lag: u32,
}

impl<P: Port> Attachment<P> {
    /// Claims the producer's role of a queue of values with several consumers. Steps in proportion to the number of
    /// channels, for each consumer.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn fanout_producer<T: Message>(&self, name: &str) -> Result<FanoutProducer<T, P>, ChannelError> {
        FanoutProducer::open(self, &Group::of_values(self, name, ValueType::of::<T>())?)
    }

    /// As [`fanout_producer`](Self::fanout_producer), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn fanout_producer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<FanoutProducer<[u8], P>, ChannelError> {
        FanoutProducer::open(self, &Group::of_values(self, name, values)?)
    }
}

impl<T: Value + ?Sized, P: Port> FanoutProducer<T, P> {
    fn open(attachment: &Attachment<P>, group: &Group) -> Result<Self, ChannelError> {
        let (ring, mem) = (&group.ring, attachment.port().mem());
        let word = |offset: u32| mem.word_ref(offset).ok_or(DAMAGED);
        let (least, floor) = (word(ring.block_b + offset::HEAD)?, word(ring.block_b + offset::FLOOR)?);
        let inner = TypedProducer::open(attachment, ring)?;
        let mut members = Members::new(inner.known_head(), least, floor);
        for index in 0..group.count() {
            let entry = group.consumer(attachment, index)?;
            members
                .add(Member::new(word(entry.block_c + offset::JOINED)?, word(entry.block_b + offset::HEAD)?));
        }
        Ok(Self { inner, members, probed_until: Deadline::at_ns(0) })
    }

    /// Sends a value to each consumer that has joined. Steps: in proportion to its size; when no space is known, four
    /// loads a consumer, and once a probe period a proof of death for those that are furthest behind.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Fault`], or (only for `[u8]`) `WrongSize`; nothing was sent then.
    /// `Fault` if somebody wrote in the words of this producer.
    #[inline]
    pub fn try_send(&mut self, value: &T) -> Result<(), TrySendError> {
        if !self.takes(value) {
            return Err(TrySendError::WrongSize);
        }
        let put = match self.put(value) {
            Err(Refused::Full) if self.leave_out_dead_if_due() => self.put(value),
            put => put,
        };
        if let Err(refused) = put {
            return Err(self.inner.sender().refused_slow(refused));
        }
        self.inner.sender().wake_consumer().map_err(TrySendError::Fault)
    }

    /// Sends values until there are no more or no space is left; returns how many were sent. The iterator is asked
    /// for a value only when there is space for it, and consumers are woken at least as often as the space known is
    /// used up; otherwise as [`TypedProducer::try_send_batch`].
    ///
    /// # Errors
    ///
    /// [`TrySendError`] if there is no space for the very first. If there is none for a later one, `Ok`
    /// with how many were sent.
    pub fn try_send_batch(&mut self, values: impl IntoIterator<Item = T>) -> Result<usize, TrySendError>
    where
        T: Sized,
    {
        let (mut values, mut sent) = (values.into_iter(), 0);
        while values.size_hint().1 != Some(0) {
            self.make_room();
            let most = match self.inner.room_for_run() {
                Ok(most) => most as usize,
                Err(Refused::Full) if self.leave_out_dead_if_due() => continue,
                Err(refused) if sent == 0 => return Err(self.inner.sender().refused_slow(refused)),
                Err(refused) => {
                    self.inner.sender().refused_slow(refused);
                    break;
                }
            };
            // There is space for as many, so it ends with the values.
            let count = self.inner.try_send_batch(values.by_ref().take(most))?;
            sent += count;
            if count < most {
                break;
            }
        }
        Ok(sent)
    }

    /// Puts in a value of the type's size.
    #[inline(always)]
    pub(super) fn put(&mut self, value: &T) -> Result<(), Refused> {
        self.make_room();
        self.inner.put(value)
    }

    /// Whether a value is of the type's size.
    pub(super) fn takes(&self, value: &T) -> bool {
        self.inner.takes(value)
    }

    /// Looks at the consumers if no space is known and less than a quarter of the ring is left.
    #[inline(always)]
    fn make_room(&mut self) {
        if self.inner.known() == 0 {
            self.make_room_slow();
        }
    }

    #[cold]
    fn make_room_slow(&mut self) {
        if self.inner.sender().role.check_ours().is_err() {
            return; // It is latched: the look for space that follows returns it.
        }
        let (tail, capacity) = (self.inner.next_sequence(), self.inner.capacity());
        if capacity.saturating_sub(self.members.used(tail)) < (capacity / 4).max(1) {
            self.members.look(tail);
        }
    }

    /// Leaves out consumers that hold this side up and are proven dead; returns whether there were any.
    #[cold]
    pub(super) fn leave_out_dead(&mut self) -> bool {
        let tail = self.inner.next_sequence();
        let sender = self.inner.sender();
        let port = &sender.role.port;
        self.probed_until = Deadline::after(port, sender.waiting.policy.probe);
        self.members.leave_out_dead(tail, |who| port.probe(who))
    }

    /// As [`leave_out_dead`](Self::leave_out_dead), once a probe period.
    #[cold]
    pub(super) fn leave_out_dead_if_due(&mut self) -> bool {
        let due = self.probed_until.left(&self.inner.sender().role.port).is_zero();
        due && self.leave_out_dead()
    }

    /// Sets how [`send_timeout`](Self::send_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.inner.set_wait_policy(policy);
    }

    /// Sets how a send finds out whether a consumer sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.inner.set_wake_check(check);
    }

    /// How many consumers there may be at once.
    #[must_use]
    pub fn consumers(&self) -> u32 {
        self.members.count()
    }

    /// How many values a consumer has not released; `None` if nobody has joined in that place, or who did is proven
    /// dead.
    #[must_use]
    pub fn lag(&self, consumer: u32) -> Option<u32> {
        let bound = self.members.lag(consumer, self.inner.next_sequence())?;
        Some(self.possible(bound.lag))
    }

    /// The consumer that is furthest behind; `None` if nobody has joined. Two loads a consumer.
    #[must_use]
    pub fn slowest(&self) -> Option<SlowestConsumer> {
        let Bound { index, who, lag } = self.members.slowest_member(self.inner.next_sequence())?;
        Some(SlowestConsumer { consumer: index, who: Ident::from_word(who), lag: self.possible(lag) })
    }

    /// Slots that are taken, because a consumer has not released them: an upper bound.
    pub fn len(&mut self) -> u32 {
        let tail = self.inner.next_sequence();
        self.members.look(tail);
        self.possible(self.members.used(tail))
    }

    /// As many as there are slots at the most. There are more if somebody writes to the word of what all have released
    /// between our store and the ring's load of it, until the next look finds that it went back.
    fn possible(&self, used: u32) -> u32 {
        used.min(self.capacity())
    }

    /// Whether every consumer has released everything.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.inner.capacity()
    }

    /// The most slots that were ever taken: an upper bound.
    #[must_use]
    pub fn high_water(&self) -> u32 {
        self.inner.high_water()
    }

    /// Sends that were refused or timed out because there was no space, by all producers of this channel.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.inner.refused()
    }

    /// The sequence number that the next value will have.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.inner.next_sequence()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.inner.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.inner.fault()
    }
}
