//! The receiving side of lanes of frames.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::consumer::{Consumer, Received};
use crate::endpoint::error::ChannelError;
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::ground::tasks::AsyncWait;
use crate::protocol::Violation;

use super::FromLane;
use super::error::{RecvLanesError, TryRecvLanesError};
use super::options::LanesOptions;
use super::ring_set::{LaneConsumer, RingSet};

/// The receiving side of a queue of frames with several producers, for up to `N` of them. One at a time; given
/// back when dropped.
///
/// Each producer has a lane, and each frame comes with the number of its lane. Frames of one lane come in order;
/// how lanes take turns is set by [`LanesOptions`] and the plan.
///
/// # If a producer dies
///
/// Every frame that it committed is delivered; one that it did not commit is never seen. The other lanes are not
/// affected. [`peer`](Self::peer) shows a lane's producer.
///
/// # If a producer misbehaves
///
/// Its lane's fault is returned once, with the lane's number; then that lane is left out.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, LanesConsumer, Plan, StaticRegion, TryRecvLanesError, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32).producers(2)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut motor = region.lane_producer("log", 0).unwrap();
/// let mut valve = region.lane_producer("log", 1).unwrap();
/// valve.try_send(7, b"valve open").unwrap();
/// motor.try_send(7, b"motor on").unwrap();
///
/// let mut log: LanesConsumer<_, 2> = region.lanes_consumer("log").unwrap();
/// let mut buffer = [0; 32];
/// let received = log.try_recv(&mut buffer).unwrap();
/// assert_eq!((received.lane, &buffer[..received.message.len]), (0, &b"motor on"[..]));
/// let received = log.try_recv(&mut buffer).unwrap();
/// assert_eq!((received.lane, &buffer[..received.message.len]), (1, &b"valve open"[..]));
/// assert_eq!(log.try_recv(&mut buffer), Err(TryRecvLanesError::Empty));
/// ```
pub struct LanesConsumer<P: Port, const N: usize> {
    pub(super) set: RingSet<Consumer<P>, P, N>,
    /// The longest payload of any lane.
    max_len: u32,
}

impl<P: Port> Attachment<P> {
    /// Claims the consumer's role of a queue of frames with up to `N` producers, with the default options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn lanes_consumer<const N: usize>(&self, name: &str) -> Result<LanesConsumer<P, N>, ChannelError> {
        self.lanes_consumer_with(name, LanesOptions::new())
    }

    /// Claims the consumer's role of a queue of frames with up to `N` producers. Steps: one claim a lane,
    /// and in proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free. Damage in a lane is no error here: the first
    /// receive returns it.
    pub fn lanes_consumer_with<const N: usize>(
        &self,
        name: &str,
        options: LanesOptions,
    ) -> Result<LanesConsumer<P, N>, ChannelError> {
        let group = self.frames_group(name)?;
        Ok(LanesConsumer { set: RingSet::open(self, &group, options)?, max_len: group.first.max_len })
    }
}

impl<P: Port> LaneConsumer<P> for Consumer<P> {
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

impl<P: Port, const N: usize> LanesConsumer<P, N> {
    /// Receives a frame into `buffer`. Steps: one look a lane at most, and in proportion to the frame's length,
    /// which the channel's maximum bounds.
    ///
    /// # Errors
    ///
    /// [`TryRecvLanesError`]; nothing was received then.
    #[inline]
    pub fn try_recv(&mut self, buffer: &mut [u8]) -> Result<FromLane<Received>, TryRecvLanesError> {
        self.set.try_recv(|lane| lane.try_recv(buffer))
    }

    /// Receives a frame into `buffer`, waiting up to `timeout` for one in any lane.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`]; nothing was received then.
    pub fn recv_timeout(
        &mut self,
        buffer: &mut [u8],
        timeout: Duration,
    ) -> Result<FromLane<Received>, RecvLanesError> {
        let deadline = self.set.deadline(timeout);
        self.recv_until(buffer, deadline)
    }

    /// Receives a frame into `buffer`, waiting until `deadline` for one in any lane.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`]; nothing was received then.
    pub fn recv_until(
        &mut self,
        buffer: &mut [u8],
        deadline: Deadline,
    ) -> Result<FromLane<Received>, RecvLanesError> {
        self.set.recv_until(deadline, |lane| lane.try_recv(buffer))
    }

    /// Receives a frame into `buffer`, waiting in a task as long as it takes for one in any lane. If the future
    /// is dropped before it is ready, nothing was received.
    ///
    /// # Errors
    ///
    /// [`RecvLanesError`], never `TimedOut`; nothing was received then.
    pub async fn recv(&mut self, buffer: &mut [u8]) -> Result<FromLane<Received>, RecvLanesError>
    where
        P: AsyncWait,
    {
        self.set.recv(|lane| lane.try_recv(buffer)).await
    }

    /// The longest payload in bytes: a buffer of that length takes any frame.
    #[must_use]
    pub fn max_len(&self) -> u32 {
        self.max_len
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
        self.set.lane(lane).map_or(0, Consumer::len)
    }

    /// The state of a lane's producer, as far as known; `None` if there is no such lane, or it is damaged.
    #[must_use]
    pub fn peer(&self, lane: u32) -> Option<PeerStatus> {
        self.set.lane(lane).map(Consumer::peer)
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
