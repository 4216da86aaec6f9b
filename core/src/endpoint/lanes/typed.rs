//! The receiving side of lanes of values.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::{ChannelError, TryRecvError};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::typed::TypedConsumer;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::AsyncWait;
use crate::protocol::Violation;

use super::FromLane;
use super::error::{RecvLanesError, TryRecvLanesError};
use super::options::LanesOptions;
use super::ring_set::{LaneConsumer, RingSet};

/// The receiving side of a queue of values with several producers, for up to `N` of them. One at a time; given
/// back when dropped.
///
/// Each producer has a lane, and each value comes with the number of its lane. Values of one lane come in order;
/// how lanes take turns is set by [`LanesOptions`] and the plan. If a producer dies or misbehaves, the same
/// happens as for [`LanesConsumer`](crate::LanesConsumer).
///
/// `T` is a [`Message`], or `[u8]` for a type that is known only at run time.
///
/// # Examples
///
/// A receive looks at each lane once at most, and says from which one the value came:
///
/// ```
/// use strait_core::{Channel, FromLane, Plan, StaticRegion, TypedLanesConsumer, port::NoSystem};
/// const PLAN: Plan =
///     Plan::new(&[Channel::slots::<u32>("alarms", 8).producers(3).urgent_lanes(1)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut producers = [0, 1, 2].map(|lane| region.typed_lane_producer::<u32>("alarms", lane).unwrap());
/// producers[2].try_send(&20).unwrap();
/// producers[0].try_send(&9).unwrap();
///
/// let mut alarms: TypedLanesConsumer<u32, _, 3> = region.typed_lanes_consumer("alarms").unwrap();
/// // Lane 0 is urgent.
/// assert_eq!(alarms.try_recv(), Ok(FromLane { lane: 0, message: 9 }));
/// assert_eq!(alarms.try_recv(), Ok(FromLane { lane: 2, message: 20 }));
/// ```
pub struct TypedLanesConsumer<T: Value + ?Sized, P: Port, const N: usize> {
    pub(super) set: RingSet<TypedConsumer<T, P>, P, N>,
    /// The number of the value received last, of its lane.
    pub(super) sequence: u32,
}

impl<P: Port> Attachment<P> {
    /// Claims the consumer's role of a queue of values with up to `N` producers, with the default options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_lanes_consumer<T: Message, const N: usize>(
        &self,
        name: &str,
    ) -> Result<TypedLanesConsumer<T, P, N>, ChannelError> {
        self.typed_lanes_consumer_with(name, LanesOptions::new())
    }

    /// Claims the consumer's role of a queue of values with up to `N` producers. Steps: one claim a lane,
    /// and in proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free. Damage in a lane is no error here: the first
    /// receive returns it.
    pub fn typed_lanes_consumer_with<T: Message, const N: usize>(
        &self,
        name: &str,
        options: LanesOptions,
    ) -> Result<TypedLanesConsumer<T, P, N>, ChannelError> {
        TypedLanesConsumer::open(self, name, ValueType::of::<T>(), options)
    }

    /// As [`typed_lanes_consumer_with`](Self::typed_lanes_consumer_with), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn typed_lanes_consumer_of<const N: usize>(
        &self,
        name: &str,
        values: ValueType,
        options: LanesOptions,
    ) -> Result<TypedLanesConsumer<[u8], P, N>, ChannelError> {
        TypedLanesConsumer::open(self, name, values, options)
    }
}

impl<T: Value + ?Sized, P: Port> LaneConsumer<P> for TypedConsumer<T, P> {
    fn open(
        attachment: &Attachment<P>,
        entry: &Entry,
        options: ConsumerOptions,
    ) -> Result<Self, ChannelError> {
        Self::open(attachment, entry, options)
    }

    fn has_data(&mut self) -> bool {
        self.has_data()
    }

    fn has_more(&self) -> bool {
        !self.is_empty()
    }

    fn release(&mut self) {
        self.release();
    }

    fn flush(&mut self) {
        self.flush();
    }

    fn fault(&self) -> Option<Violation> {
        self.fault()
    }

    fn peer(&self) -> PeerStatus {
        self.peer()
    }
}

/// Receives a value, and its number in the lane.
#[inline(always)]
pub(super) fn numbered<T: Message, P: Port>(
    lane: &mut TypedConsumer<T, P>,
) -> Result<(T, u32), TryRecvError> {
    lane.try_recv_numbered()
}

impl<T: Value + ?Sized, P: Port, const N: usize> TypedLanesConsumer<T, P, N> {
    fn open(
        attachment: &Attachment<P>,
        name: &str,
        values: ValueType,
        options: LanesOptions,
    ) -> Result<Self, ChannelError> {
        let group = attachment.values_group(name, values)?;
        Ok(Self { set: RingSet::open(attachment, &group, options)?, sequence: 0 })
    }

    /// Receives a value. Steps: one look a lane at most, one more where a lane's turn ends, and in proportion to the value's
    /// size.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError::Empty`] or [`TryRecvLanesError::Fault`].
    #[inline(always)]
    pub fn try_recv(&mut self) -> Result<FromLane<T>, TryRecvLanesError>
    where
        T: Message,
    {
        // Without a system, code is what there is least of: this way is some 300 bytes of it.
        if cfg!(not(target_os = "none"))
            && let Some((lane, consumer)) = self.set.going_on()
            && let Ok((message, sequence)) = numbered(consumer)
        {
            self.set.took_one(lane);
            self.sequence = sequence;
            return Ok(FromLane { lane, message });
        }
        self.try_recv_searching()
    }

    /// The rest of a [`try_recv`](Self::try_recv), which also returns what the lane that goes on has instead of a value.
    #[inline]
    fn try_recv_searching(&mut self) -> Result<FromLane<T>, TryRecvLanesError>
    where
        T: Message,
    {
        let FromLane { lane, message: (message, sequence) } = self.set.try_recv(numbered)?;
        self.sequence = sequence;
        Ok(FromLane { lane, message })
    }

    /// Receives a value into `value`; returns the lane. Steps as for [`try_recv`](Self::try_recv).
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`]; `WrongSize` only for `[u8]`.
    #[inline]
    pub fn try_recv_into(&mut self, value: &mut T) -> Result<u32, TryRecvLanesError> {
        let from = self.set.try_recv(|lane| {
            lane.try_recv_into(value)?;
            Ok(lane.sequence())
        })?;
        self.sequence = from.message;
        Ok(from.lane)
    }

    /// Receives a value, waiting up to `timeout` for one in any lane.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError::TimedOut`] or [`RecvLanesError::Fault`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<FromLane<T>, RecvLanesError>
    where
        T: Message,
    {
        let deadline = self.set.deadline(timeout);
        self.recv_until(deadline)
    }

    /// Receives a value, waiting until `deadline` for one in any lane.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError::TimedOut`] or [`RecvLanesError::Fault`].
    pub fn recv_until(&mut self, deadline: Deadline) -> Result<FromLane<T>, RecvLanesError>
    where
        T: Message,
    {
        let FromLane { lane, message: (message, sequence) } = self.set.recv_until(deadline, numbered)?;
        self.sequence = sequence;
        Ok(FromLane { lane, message })
    }

    /// Receives a value into `value`, waiting up to `timeout` for one in any lane; returns the lane.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`]; `WrongSize` only for `[u8]`.
    pub fn recv_into_timeout(&mut self, value: &mut T, timeout: Duration) -> Result<u32, RecvLanesError> {
        let deadline = self.set.deadline(timeout);
        let from = self.set.recv_until(deadline, |lane| {
            lane.try_recv_into(value)?;
            Ok(lane.sequence())
        })?;
        self.sequence = from.message;
        Ok(from.lane)
    }

    /// Receives a value, waiting in a task as long as it takes for one in any lane. If the future is dropped
    /// before it is ready, nothing was received.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError::Fault`].
    pub async fn recv(&mut self) -> Result<FromLane<T>, RecvLanesError>
    where
        T: Message,
        P: AsyncWait,
    {
        let FromLane { lane, message: (message, sequence) } = self.set.recv(numbered).await?;
        self.sequence = sequence;
        Ok(FromLane { lane, message })
    }

    /// The number of the value received last, counting up by one a value of its lane, modulo 2^32. A number
    /// seen before of that lane is a value delivered again.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Releases the message that the last receive returned, without waiting for the next call.
    pub fn release(&mut self) {
        self.set.release();
    }

    /// Releases everything received and publishes the heads, so that a successor sees no message twice. Steps:
    /// one store a lane or two.
    pub fn flush(&mut self) {
        self.set.flush();
    }

    /// Sets whether waits end when all producers are gone, with [`RecvLanesError::PeerGone`]: when none is left, and one
    /// is proven dead or was there and has left. As long as no producer has come, they are waited for. Off unless set.
    /// Asked once a [probe period](WaitPolicy::probe), and when the time is up; one load a lane, and one probe a lane at
    /// most.
    pub fn end_with_peer(&mut self, on: bool) {
        self.set.end_with_peer(on);
    }

    /// Sets how [`recv_timeout`](Self::recv_timeout) waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.set.set_wait_policy(policy);
    }

    /// Whether the next receive would find nothing now. One load a lane.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.set.count()
    }

    /// Messages that are waiting in a lane, the one in use not counted: a lower bound, as of an ordinary
    /// queue. 0 if there is no such lane, or it is damaged.
    #[must_use]
    pub fn len(&self, lane: u32) -> u32 {
        self.set.lane(lane).map_or(0, TypedConsumer::len)
    }

    /// The state of a lane's producer, as far as known; `None` if there is no such lane, or it is damaged.
    #[must_use]
    pub fn peer(&self, lane: u32) -> Option<PeerStatus> {
        self.set.lane(lane).map(TypedConsumer::peer)
    }

    /// The dead participant that a lane's consumer's role was taken over from, if it was. After a consumer that
    /// died while it claimed the lanes, some lanes have such a one and some have none.
    #[must_use]
    pub fn taken_over_from(&self, lane: u32) -> Option<Ident> {
        self.set.lane(lane)?.taken_over_from()
    }

    /// What is wrong in a lane, if something is: it was returned by a receive, or will be.
    #[must_use]
    pub fn fault(&self, lane: u32) -> Option<Violation> {
        self.set.fault(lane)
    }

    pub(in crate::endpoint) fn has_data(&mut self) -> bool {
        self.set.has_data()
    }

    pub(in crate::endpoint) fn ends_with_peer(&self) -> bool {
        self.set.ends_with_peer()
    }

    pub(in crate::endpoint) fn finds_peer_gone(&mut self) -> bool {
        self.set.finds_peer_gone()
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        self.set.prospect()
    }

    pub(in crate::endpoint) fn park_word(&self) -> Option<&ParkWord> {
        self.set.park_word()
    }
}
