//! The serving side of a channel of calls with several clients.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::call::{CallServer, Interrupted, Reply, ServeError};
use crate::endpoint::error::{ChannelError, TryRecvError};
use crate::endpoint::lanes::ring_set::{LaneConsumer, RingSet};
use crate::endpoint::lanes::{FromLane, LanesOptions};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::AsyncWait;
use crate::protocol::Violation;

use super::error::ServeLanesError;

/// The serving side of a channel of calls with several clients, for up to `N` of them. One at a time; given back when
/// dropped.
///
/// It takes a request of one client after the other, in turns, and each comes with the number of its lane. It never waits
/// for a client: each answer has its place. A [`Reply`] that is dropped refuses its request. One that is
/// [kept](Reply::keep) holds up the further requests of its own lane, until [`reply`](Self::reply) gives it back and it
/// is answered or dropped; meanwhile the server serves the other lanes.
///
/// # If a client dies
///
/// What it has asked for is still served, in its turn, and its answers go nowhere. The other lanes are not affected.
///
/// # If a server dies
///
/// Its successor takes what the dead one had not taken. What it had taken in each lane and not answered is treated as
/// [`Interrupted`] says.
///
/// # If a client misbehaves
///
/// Its lane's fault is returned once, with the lane's number; then that lane is left out.
///
/// # Examples
///
/// See [`Channel::clients`](crate::Channel::clients); and for a reply that is kept:
///
/// ```
/// use strait_core::{Channel, LanesServer, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::calls::<u32, u32>("drive", 4).clients(2)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut clients = [0, 1].map(|lane| region.lane_call_client::<u32, u32>("drive", lane).unwrap());
/// let tickets = clients.each_mut().map(|client| client.try_call(&7).unwrap());
///
/// let mut server: LanesServer<u32, u32, _, 2> = region.lanes_call_server("drive").unwrap();
/// let (slow, reply) = server.try_next().unwrap();
/// assert_eq!(slow.lane, 0);
/// reply.keep();
/// assert_eq!(server.serve(|_, number| number + 1), Ok(1));
/// assert_eq!(clients[1].poll(tickets[1]), Ok(Some(8)));
///
/// server.reply(slow.lane).unwrap().answer(&9);
/// assert_eq!(clients[0].poll(tickets[0]), Ok(Some(9)));
/// ```
pub struct LanesServer<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port, const N: usize> {
    set: RingSet<CallServer<Req, Ans, P>, P, N>,
    /// How many places each lane has.
    places: u32,
    /// A fault that was found behind requests that were served, to be returned next.
    pending: Option<ServeLanesError>,
}

impl<P: Port> Attachment<P> {
    /// Claims the server's role of a channel of calls with up to `N` clients, which take turns call by call.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn lanes_call_server<Req: Message, Ans: Message, const N: usize>(
        &self,
        name: &str,
    ) -> Result<LanesServer<Req, Ans, P, N>, ChannelError> {
        self.lanes_call_server_with(name, LanesOptions::new().burst(1))
    }

    /// Claims the server's role of a channel of calls with up to `N` clients. Steps: one claim a lane, and in proportion
    /// to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free. Damage in a lane is no error here: taking the first request
    /// returns it.
    pub fn lanes_call_server_with<Req: Message, Ans: Message, const N: usize>(
        &self,
        name: &str,
        options: LanesOptions,
    ) -> Result<LanesServer<Req, Ans, P, N>, ChannelError> {
        LanesServer::open(self, name, ValueType::of::<Req>(), ValueType::of::<Ans>(), options)
    }

    /// As [`lanes_call_server_with`](Self::lanes_call_server_with), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lanes_call_server_of<const N: usize>(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
        options: LanesOptions,
    ) -> Result<LanesServer<[u8], [u8], P, N>, ChannelError> {
        LanesServer::open(self, name, request, answer, options)
    }
}

/// The server of one lane; what it holds is a reply, and not a message to be released.
impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> LaneConsumer<P> for CallServer<Req, Ans, P> {
    fn open(attachment: &Attachment<P>, entry: &Entry, _: ConsumerOptions) -> Result<Self, ChannelError> {
        Self::open(attachment, entry)
    }

    fn has_data(&mut self) -> bool {
        !self.is_busy() && self.has_data()
    }

    fn has_more(&self) -> bool {
        !self.is_busy() && self.has_request()
    }

    fn release(&mut self) {}

    fn flush(&mut self) {}

    fn fault(&self) -> Option<Violation> {
        self.fault()
    }

    fn peer(&self) -> PeerStatus {
        self.peer()
    }
}

/// Takes the next request of a lane, unless its reply is kept.
fn take<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port>(
    lane: &mut CallServer<Req, Ans, P>,
) -> Result<(), TryRecvError> {
    if lane.is_busy() {
        return Err(TryRecvError::Empty);
    }
    match lane.take() {
        Ok(()) => Ok(()),
        Err(ServeError::Fault(violation)) => Err(TryRecvError::Fault(violation)),
        Err(_) => Err(TryRecvError::Empty),
    }
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port, const N: usize> LanesServer<Req, Ans, P, N> {
    pub(in crate::endpoint::call) fn open(
        attachment: &Attachment<P>,
        name: &str,
        request: ValueType,
        answer: ValueType,
        options: LanesOptions,
    ) -> Result<Self, ChannelError> {
        let group = attachment.calls_group(name, request, answer)?;
        Ok(Self {
            set: RingSet::open(attachment, &group, options)?,
            places: group.first.capacity,
            pending: None,
        })
    }

    /// Takes the next request of the lane whose turn it is, and the reply that is owed. Steps: one look a lane at most, in
    /// proportion to the request's size, and to the number of places if requests were withdrawn.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::Empty`] or [`ServeLanesError::Fault`].
    pub fn try_next(&mut self) -> Result<(FromLane<Req>, Reply<'_, Ans, P>), ServeLanesError>
    where
        Req: Message,
    {
        let mut message = Req::new_zeroed();
        let (lane, reply) = self.try_next_into(&mut message)?;
        Ok((FromLane { lane, message }, reply))
    }

    /// As [`try_next`](Self::try_next), into `request`; returns the lane and the reply.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn try_next_into(&mut self, request: &mut Req) -> Result<(u32, Reply<'_, Ans, P>), ServeLanesError> {
        self.check(request)?;
        let from = self.set.try_recv(take)?;
        self.read(from.lane, request)
    }

    /// Takes the next request, waiting up to `timeout` for one in any lane.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::TimedOut`] or [`ServeLanesError::Fault`].
    pub fn next_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<(FromLane<Req>, Reply<'_, Ans, P>), ServeLanesError>
    where
        Req: Message,
    {
        let mut message = Req::new_zeroed();
        let (lane, reply) = self.next_into_timeout(&mut message, timeout)?;
        Ok((FromLane { lane, message }, reply))
    }

    /// As [`next_timeout`](Self::next_timeout), into `request`; returns the lane and the reply.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn next_into_timeout(
        &mut self,
        request: &mut Req,
        timeout: Duration,
    ) -> Result<(u32, Reply<'_, Ans, P>), ServeLanesError> {
        let deadline = self.set.deadline(timeout);
        self.next_into_until(request, deadline)
    }

    /// As [`next_into_timeout`](Self::next_into_timeout), waiting until `deadline`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn next_into_until(
        &mut self,
        request: &mut Req,
        deadline: Deadline,
    ) -> Result<(u32, Reply<'_, Ans, P>), ServeLanesError> {
        self.check(request)?;
        let from = self.set.recv_until(deadline, take)?;
        self.read(from.lane, request)
    }

    /// Takes the next request, and the reply that is owed, waiting in a task as long as it takes. If the future is dropped
    /// before it is ready, nothing was taken.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::Replaced`] or [`ServeLanesError::Fault`].
    pub async fn next(&mut self) -> Result<(FromLane<Req>, Reply<'_, Ans, P>), ServeLanesError>
    where
        Req: Message,
        P: AsyncWait,
    {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        let from = self.set.recv(take).await?;
        let mut message = Req::new_zeroed();
        let (lane, reply) = self.read(from.lane, &mut message)?;
        Ok((FromLane { lane, message }, reply))
    }

    /// Serves the requests that are waiting in all lanes, and those that come meanwhile, as many as there are places at
    /// most; returns how many there were. `serve` gets the lane and the request. If it panics, its request is refused.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError`] if there is not even one. A fault behind others shows at the next call.
    pub fn serve(&mut self, mut serve: impl FnMut(u32, &Req) -> Ans) -> Result<u32, ServeLanesError>
    where
        Req: Message,
        Ans: Message,
    {
        let mut served = 0;
        while served < self.places().saturating_mul(self.lanes()) {
            let error = match self.try_next() {
                Ok((FromLane { lane, message }, reply)) => {
                    reply.answer(&serve(lane, &message));
                    served += 1;
                    continue;
                }
                Err(error) => error,
            };
            if served == 0 {
                return Err(error);
            }
            self.put_off(error);
            break;
        }
        Ok(served)
    }

    /// As [`serve`](Self::serve), waiting up to `timeout` for the first.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::TimedOut`] or [`ServeLanesError::Fault`].
    pub fn serve_timeout(
        &mut self,
        timeout: Duration,
        mut serve: impl FnMut(u32, &Req) -> Ans,
    ) -> Result<u32, ServeLanesError>
    where
        Req: Message,
        Ans: Message,
    {
        let (FromLane { lane, message }, reply) = self.next_timeout(timeout)?;
        reply.answer(&serve(lane, &message));
        let more = self.serve(serve).unwrap_or_else(|error| {
            self.put_off(error);
            0
        });
        Ok(1 + more)
    }

    /// Keeps a fault, which its lane returns once, for the next call.
    pub(crate) fn put_off(&mut self, error: ServeLanesError) {
        if matches!(error, ServeLanesError::Fault { .. }) {
            self.pending = Some(error);
        }
    }

    /// Whether the request of a lane that was taken last has no answer yet, because its reply was [kept](Reply::keep).
    #[must_use]
    pub fn has_reply(&self, lane: u32) -> bool {
        self.set.lane(lane).is_some_and(CallServer::has_reply)
    }

    /// The reply to the request of a lane that was taken last, if it was [kept](Reply::keep). As ever, one that is dropped
    /// refuses the request; [`has_reply`](Self::has_reply) asks without.
    pub fn reply(&mut self, lane: u32) -> Option<Reply<'_, Ans, P>> {
        self.set.lane_mut(lane)?.reply()
    }

    /// The server of a lane, if there is that lane and it could be opened.
    pub(in crate::endpoint::call) fn lane_mut(&mut self, lane: u32) -> Option<&mut CallServer<Req, Ans, P>> {
        self.set.lane_mut(lane)
    }

    fn check(&mut self, request: &Req) -> Result<(), ServeLanesError> {
        // All lanes have the same types. Without one that works, there is nothing to be of a wrong size.
        let mut lanes = (0..self.lanes()).filter_map(|lane| self.set.lane(lane));
        match lanes.next() {
            Some(lane) if !lane.takes(request) => Err(ServeLanesError::WrongSize),
            _ => self.pending.take().map_or(Ok(()), Err),
        }
    }

    /// Copies the request that was taken in this lane.
    fn read(&mut self, lane: u32, request: &mut Req) -> Result<(u32, Reply<'_, Ans, P>), ServeLanesError> {
        match self.set.lane_mut(lane) {
            Some(server) => Ok((lane, server.read(request))),
            None => Err(ServeLanesError::Empty),
        }
    }

    /// Sets what becomes of the requests that a dead server had taken and not answered, one a lane at most. Set it before
    /// the first request is taken.
    pub fn set_interrupted(&mut self, interrupted: Interrupted) {
        self.set.each().for_each(|lane| lane.set_interrupted(interrupted));
    }

    /// Sets how this side waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.set.set_wait_policy(policy);
    }

    /// Sets how an answer finds out whether its client sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.set.each().for_each(|lane| lane.set_wake_check(check));
    }

    /// Whether the next attempt would find no request now. One load a lane.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.set.count()
    }

    /// How many places each lane has: calls of one client that can be out at once.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.places
    }

    /// The state of a lane's client, as far as known; `None` if there is no such lane, or it is damaged.
    #[must_use]
    pub fn peer(&self, lane: u32) -> Option<PeerStatus> {
        self.set.lane(lane).map(CallServer::peer)
    }

    /// The dead participant that a lane's server's role was taken over from, if it was. After a server that died while
    /// it claimed the lanes, some lanes have such a one and some have none.
    #[must_use]
    pub fn taken_over_from(&self, lane: u32) -> Option<Ident> {
        self.set.lane(lane)?.taken_over_from()
    }

    /// What is wrong in a lane, if something is: it was returned by a call, or will be.
    #[must_use]
    pub fn fault(&self, lane: u32) -> Option<Violation> {
        self.set.fault(lane)
    }

    pub(in crate::endpoint) fn has_data(&mut self) -> bool {
        self.pending.is_some() || self.set.has_data()
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        self.set.prospect()
    }

    pub(in crate::endpoint) fn park_word(&self) -> Option<&ParkWord> {
        self.set.park_word()
    }
}
