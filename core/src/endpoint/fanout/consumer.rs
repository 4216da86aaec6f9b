//! A consumer of a queue with several.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::{ChannelError, RecvError, TryRecvError};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::recv_half::HasRecvHalf;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::spans::DAMAGED;
use crate::endpoint::typed::TypedConsumer;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::Violation;
use crate::protocol::fanout::{Joining, Start, leave};

use super::group::Group;

/// One of several consumers of a queue of values: it gets every value from when it joined. Leaves when dropped, and
/// then no longer bounds the producer.
///
/// Values are released as those of a [`TypedConsumer`](crate::TypedConsumer), and come again to a successor as there.
///
/// # If this consumer dies
///
/// Its place is taken over with proof of death, by its number, and the successor goes on where it was. The other
/// consumers are not affected; the producer is held up until the death is proven, and no longer.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, FanoutConsumer, Plan, StaticRegion, TryRecvError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("log", 8).consumers(2)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producer = region.fanout_producer::<u32>("log").unwrap();
/// let mut disk: FanoutConsumer<u32, _> = region.fanout_consumer("log", 0).unwrap();
/// producer.try_send(&1).unwrap();
/// // It gets what is sent from now on.
/// let (number, mut screen) = region.free_fanout_consumer::<u32>("log").unwrap();
/// assert_eq!(number, 1);
/// producer.try_send(&2).unwrap();
/// assert_eq!([disk.try_recv(), disk.try_recv()], [Ok(1), Ok(2)]);
/// assert_eq!([screen.try_recv(), screen.try_recv()], [Ok(2), Err(TryRecvError::Empty)]);
/// ```
pub struct FanoutConsumer<T: Value + ?Sized, P: Port> {
    /// Who has joined; this side's word.
    joined: WordRef,
    /// The word on which the producer sleeps for space, if the plan lets it.
    producers: Option<ParkWord>,
    /// Where it started.
    start: Start,
    /// Its number.
    index: u32,
    pub(super) inner: TypedConsumer<T, P>,
}

impl<P: Port> Attachment<P> {
    /// Joins as consumer `consumer`, from 0, of a queue of values with several, with the default options. If the last
    /// one of that number is proven dead, its place is taken over.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn fanout_consumer<T: Message>(
        &self,
        name: &str,
        consumer: u32,
    ) -> Result<FanoutConsumer<T, P>, ChannelError> {
        self.fanout_consumer_with(name, consumer, ConsumerOptions::new())
    }

    /// As [`fanout_consumer`](Self::fanout_consumer), with these options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn fanout_consumer_with<T: Message>(
        &self,
        name: &str,
        consumer: u32,
        options: ConsumerOptions,
    ) -> Result<FanoutConsumer<T, P>, ChannelError> {
        let group = Group::of_values(self, name, ValueType::of::<T>())?;
        FanoutConsumer::open(self, &group, consumer, options)
    }

    /// As [`fanout_consumer_with`](Self::fanout_consumer_with), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn fanout_consumer_of(
        &self,
        name: &str,
        values: ValueType,
        consumer: u32,
        options: ConsumerOptions,
    ) -> Result<FanoutConsumer<[u8], P>, ChannelError> {
        FanoutConsumer::open(self, &Group::of_values(self, name, values)?, consumer, options)
    }

    /// Joins as any consumer whose place is free; only if there is none, takes over that of one that is proven dead.
    /// Returns its number too. Steps: two claims a consumer at most.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn free_fanout_consumer<T: Message>(
        &self,
        name: &str,
    ) -> Result<(u32, FanoutConsumer<T, P>), ChannelError> {
        self.any_consumer(&Group::of_values(self, name, ValueType::of::<T>())?)
    }

    /// As [`free_fanout_consumer`](Self::free_fanout_consumer), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], [`Busy`](ChannelError::Busy) if all are taken.
    pub fn free_fanout_consumer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<(u32, FanoutConsumer<[u8], P>), ChannelError> {
        self.any_consumer(&Group::of_values(self, name, values)?)
    }

    fn any_consumer<T: Value + ?Sized>(
        &self,
        group: &Group,
    ) -> Result<(u32, FanoutConsumer<T, P>), ChannelError> {
        let mut worst = None;
        for succeeds in [false, true] {
            for index in 0..group.count() {
                // A dead one's place comes with its messages, so it is for those that name it first.
                if self.has_joined(&group.consumer(self, index)?)? != succeeds {
                    continue;
                }
                match FanoutConsumer::open(self, group, index, ConsumerOptions::new()) {
                    Ok(consumer) => return Ok((index, consumer)),
                    // A consumer of another domain says less than one that is taken.
                    Err(error) if error == ChannelError::Busy || worst.is_none() => worst = Some(error),
                    Err(_) => {}
                }
            }
        }
        Err(worst.unwrap_or(ChannelError::Busy))
    }

    /// Whether somebody has joined in this place, and not left.
    fn has_joined(&self, entry: &Entry) -> Result<bool, ChannelError> {
        // ORDERING: Relaxed; advice, the claim decides.
        Ok(self.port().mem().word(entry.block_c + offset::JOINED).ok_or(DAMAGED)?.load(RELAXED) != 0)
    }
}

impl<T: Value + ?Sized, P: Port> FanoutConsumer<T, P> {
    fn open(
        attachment: &Attachment<P>,
        group: &Group,
        index: u32,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        let (entry, ring) = (group.consumer(attachment, index)?, &group.ring);
        let (port, mem) = (attachment.port(), attachment.port().mem());
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        let word = |offset: u32| mem.word_ref(offset).ok_or(DAMAGED);
        let joined = word(entry.block_c + offset::JOINED)?;
        let (mark, floor) = (word(ring.block_a + offset::MARK)?, word(ring.block_b + offset::FLOOR)?);
        let head = word(entry.block_b + offset::HEAD)?;
        let owner = word(ring.block_c + offset::OWNER)?;
        let producers = ParkWord::new(port, entry.wait_a, attachment.header().instance);
        let mut inner = TypedConsumer::open(attachment, &entry, options)?;
        inner.taker().role.set_peer(owner);
        let words = Joining { joined: &joined, head: &head, mark: &mark, floor: &floor };
        let start = words.join(me, entry.capacity);
        inner.start_at(start.at);
        Ok(Self { joined, producers, start, index, inner })
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
        self.inner.try_recv()
    }

    /// Receives a value into `value`. Steps as for [`try_recv`](Self::try_recv).
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]; `WrongSize` only for `[u8]`.
    #[inline]
    pub fn try_recv_into(&mut self, value: &mut T) -> Result<(), TryRecvError> {
        self.inner.try_recv_into(value)
    }

    /// Passes up to `max` values to `each`, in order, as [`TypedConsumer::recv_batch`] does.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] if there is not even one. A fault behind others shows at the next call.
    #[inline]
    pub fn recv_batch(&mut self, max: usize, each: impl FnMut(T)) -> Result<usize, TryRecvError>
    where
        T: Message,
    {
        self.inner.recv_batch(max, each)
    }

    /// Receives a value, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`], never `WrongSize`.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvError>
    where
        T: Message,
    {
        self.inner.recv_timeout(timeout)
    }

    /// Receives a value, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`], never `WrongSize`.
    pub fn recv_until(&mut self, deadline: Deadline) -> Result<T, RecvError>
    where
        T: Message,
    {
        self.inner.recv_until(deadline)
    }

    /// Receives a value into `value`, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; `WrongSize` only for `[u8]`.
    pub fn recv_into_timeout(&mut self, value: &mut T, timeout: Duration) -> Result<(), RecvError> {
        self.inner.recv_into_timeout(value, timeout)
    }

    /// Receives a value into `value`, waiting until `deadline` for it.
    ///
    /// # Errors
    ///
    /// [`RecvError`]; `WrongSize` only for `[u8]`.
    pub fn recv_into_until(&mut self, value: &mut T, deadline: Deadline) -> Result<(), RecvError> {
        self.inner.recv_into_until(value, deadline)
    }

    /// The number of the value received last, counting up by one a value, modulo 2^32: the same for each consumer.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.inner.sequence()
    }

    /// The number of the value that this consumer received first, or will.
    #[must_use]
    pub fn first_sequence(&self) -> u32 {
        self.start.at
    }

    /// How many values, at most, were lost between the dead consumer that this one took over from and this one: 0,
    /// unless the producer had proven that death and gone on before. 0 also if nothing was taken over. Never more than
    /// 2^31 - 1. If the dead one's place is damaged and ahead of what was sent: all that was sent before the first value
    /// of this one, counted modulo 2^32.
    #[must_use]
    pub fn missed(&self) -> u32 {
        self.start.missed
    }

    /// This consumer's number, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Values that wait for this consumer, the one in use not counted: a lower bound, as
    /// [`TypedConsumer::len`].
    #[must_use]
    pub fn lag(&self) -> u32 {
        self.inner.len()
    }

    /// Whether the next receive would find nothing now. One load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.inner.capacity()
    }

    /// Releases the value that the last receive returned, without waiting for the next call.
    pub fn release(&mut self) {
        self.inner.release();
    }

    /// Releases everything received and publishes the head, so that a successor sees no value twice.
    pub fn flush(&mut self) {
        self.inner.flush();
    }

    /// Sets whether waits end when the producer is gone, as [`TypedConsumer::end_with_peer`].
    pub fn end_with_peer(&mut self, on: bool) {
        self.inner.end_with_peer(on);
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.inner.set_wait_policy(policy);
    }

    /// The producer's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
        self.inner.peer()
    }

    /// The dead participant this place was taken over from, if it was.
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

impl<T: Value + ?Sized, P: Port> Drop for FanoutConsumer<T, P> {
    fn drop(&mut self) {
        let taker = self.inner.taker();
        if taker.role.is_ours() {
            leave(&self.joined);
            if let Some(park_word) = &self.producers {
                park_word.wake(Default::default(), &taker.role.port);
            }
        }
    }
}
