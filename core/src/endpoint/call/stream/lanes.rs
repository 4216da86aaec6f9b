//! Streams of several clients, each of which has a lane of the calls and one of the parts.

use core::marker::PhantomData;
use core::time::Duration;

use heapless::Vec;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::call::{LanesServer, ServeLanesError};
use crate::endpoint::error::ChannelError;
use crate::endpoint::lanes::group::Group;
use crate::endpoint::lanes::{FromLane, LanesOptions};
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::producer::Producer;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_any::sealed::{Place, Sealed};
use crate::endpoint::wait_any::{Waitable, place_of_consumer};
use crate::endpoint::wait_policy::{WaitPolicy, WakeCheck};
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::Violation;

use super::parts::{Outgoing, Parts};
use super::{PartError, PartType};

/// The serving side of a channel of [`streams`](crate::Channel::streams) with several clients, for up to `N` of them.
/// One at a time; given back when dropped.
///
/// It takes a request of one client after the other, in turns, and each comes with the number of its lane. A reply that is
/// [kept](Parts::keep) holds up the further requests of its own lane alone: so one server has a stream to each client under
/// way at once, and goes on with any of them by [`parts`](Self::parts). A client that reads nothing fills its own queue,
/// which [`PartError::Full`] says, and nobody else's.
///
/// # If a client dies
///
/// Its queue gets full. The other lanes are not affected.
///
/// # If a server dies
///
/// As of [`StreamClient`](crate::StreamClient); its successor tells each client whose request it had taken.
///
/// # If a client misbehaves
///
/// A fault among its requests is returned once, with the lane's number; then that lane is left out. One in its queue of
/// parts is returned by each [`send`](Parts::send) there.
///
/// # Examples
///
/// See [`Channel::parts_for`](crate::Channel::parts_for).
pub struct LanesStreamServer<Req: Value + ?Sized, Part: Value + ?Sized, P: Port, const N: usize> {
    /// The queues of parts; dropped first, because the first role of the calls stands for all.
    outs: Vec<Outgoing<P>, N>,
    /// The calls, whose answers are the ends.
    calls: LanesServer<Req, [u8], P, N>,
    part: PhantomData<fn(&Part)>,
}

/// A request that was taken, with its lane, and the reply that is owed.
type Taken<'s, Req, Part, P> = Result<(FromLane<Req>, Parts<'s, Req, Part, P>), ServeLanesError>;

/// The server's end of a lane of parts. One that is damaged, or that somebody holds who does not hold the server's role,
/// hinders no other.
fn open_queue<P: Port>(
    attachment: &Attachment<P>,
    calls: &Group,
    parts: &Group,
    lane: u32,
    len: usize,
) -> Result<Outgoing<P>, ChannelError> {
    let calls = calls.lane(attachment, lane)?;
    match Producer::open(attachment, &parts.lane(attachment, lane)?) {
        Ok(mut queue) => {
            if calls.lane.count > 1 {
                let instance = attachment.header().instance;
                queue.sender.ring(ParkWord::new(attachment.port(), calls.wait_a, instance));
            }
            Ok(Outgoing::new(queue, len))
        }
        Err(ChannelError::Fault(violation)) => Ok(Outgoing::damaged(violation, len)),
        Err(ChannelError::Busy) => Ok(Outgoing::damaged(Violation::State, len)),
        Err(error) => Err(error),
    }
}

impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port, const N: usize> LanesStreamServer<Req, Part, P, N> {
    pub(super) fn open(
        attachment: &Attachment<P>,
        name: &str,
        parts: &str,
        request: ValueType,
        part: PartType,
    ) -> Result<Self, ChannelError> {
        let (calls, parts) = attachment.stream_groups(name, parts, request, part)?;
        let options = LanesOptions::new().burst(1);
        let mut server = LanesServer::open(attachment, name, request, part.end, options)?;
        if let (1, Some(only)) = (calls.count(), server.lane_mut(0)) {
            // The one client sleeps on the word of its parts.
            let instance = attachment.header().instance;
            only.parts().0.client = ParkWord::new(attachment.port(), parts.first.wait_b, instance);
        }
        let mut outs = Vec::new();
        for lane in 0..calls.count() {
            let out = open_queue(attachment, &calls, &parts, lane, part.len as usize)?;
            // There is room, as the calls had.
            let _ = outs.push(out);
        }
        Ok(Self { outs, calls: server, part: PhantomData })
    }

    /// Takes the next request of the lane whose turn it is, and the reply that is owed. Steps: as of
    /// [`LanesServer::try_next`](crate::LanesServer::try_next).
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::Empty`] or [`ServeLanesError::Fault`].
    pub fn try_next(&mut self) -> Taken<'_, Req, Part, P>
    where
        Req: Message,
    {
        let mut message = Req::new_zeroed();
        let (lane, parts) = self.try_next_into(&mut message)?;
        Ok((FromLane { lane, message }, parts))
    }

    /// As [`try_next`](Self::try_next), into `request`; returns the lane and the reply.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn try_next_into(
        &mut self,
        request: &mut Req,
    ) -> Result<(u32, Parts<'_, Req, Part, P>), ServeLanesError> {
        let (lane, reply) = self.calls.try_next_into(request)?;
        reply.keep();
        self.begin(lane)
    }

    /// As [`try_next`](Self::try_next), waiting up to `timeout` for a request in any lane.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::TimedOut`] or [`ServeLanesError::Fault`].
    pub fn next_timeout(&mut self, timeout: Duration) -> Taken<'_, Req, Part, P>
    where
        Req: Message,
    {
        let mut message = Req::new_zeroed();
        let (lane, parts) = self.next_into_timeout(&mut message, timeout)?;
        Ok((FromLane { lane, message }, parts))
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
    ) -> Result<(u32, Parts<'_, Req, Part, P>), ServeLanesError> {
        let (lane, reply) = self.calls.next_into_timeout(request, timeout)?;
        reply.keep();
        self.begin(lane)
    }

    /// As [`try_next`](Self::try_next), waiting in a task as long as it takes. If the future is dropped before it is
    /// ready, nothing was taken.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError::Replaced`] or [`ServeLanesError::Fault`].
    pub async fn next(&mut self) -> Taken<'_, Req, Part, P>
    where
        Req: Message,
        P: AsyncWait,
    {
        let (FromLane { lane, message }, reply) = self.calls.next().await?;
        reply.keep();
        let (lane, parts) = self.begin(lane)?;
        Ok((FromLane { lane, message }, parts))
    }

    fn begin(&mut self, lane: u32) -> Result<(u32, Parts<'_, Req, Part, P>), ServeLanesError> {
        match (self.calls.lane_mut(lane), self.outs.get_mut(lane as usize)) {
            (Some(calls), Some(out)) => Ok((lane, Parts::begin(calls, out))),
            // There are as many of both.
            _ => Err(ServeLanesError::Empty),
        }
    }

    /// Serves the requests that are waiting in all lanes, and those that come meanwhile, as many as there are places at
    /// most; returns how many there were. `serve` gets the lane and the request, and sends the parts. If it fails, or panics, the request is refused
    /// with code 0. While it waits for room in one lane, the others wait.
    ///
    /// # Errors
    ///
    /// [`ServeLanesError`] if there is not even one. A fault behind others shows at the next call.
    pub fn serve(
        &mut self,
        mut serve: impl FnMut(u32, &Req, &mut Parts<'_, Req, Part, P>) -> Result<(), PartError>,
    ) -> Result<u32, ServeLanesError>
    where
        Req: Message,
    {
        let mut served = 0;
        while served < self.calls.places().saturating_mul(self.lanes()) {
            let error = match self.try_next() {
                Ok((FromLane { lane, message }, mut parts)) => {
                    if serve(lane, &message, &mut parts).is_ok() {
                        parts.end();
                    }
                    served += 1;
                    continue;
                }
                Err(error) => error,
            };
            if served == 0 {
                return Err(error);
            }
            self.calls.put_off(error);
            break;
        }
        Ok(served)
    }

    /// The reply to the request of a lane that was taken last, if it was [kept](Parts::keep).
    pub fn parts(&mut self, lane: u32) -> Option<Parts<'_, Req, Part, P>> {
        let (calls, out) = (self.calls.lane_mut(lane)?, self.outs.get_mut(lane as usize)?);
        calls.reply()?.keep();
        Some(Parts::resume(calls, out))
    }

    /// Sets how this side waits; the probe period is also how often it asks, while it waits for room, whether the
    /// client has cancelled.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.calls.set_wait_policy(policy);
        self.outs.iter_mut().for_each(|out| out.set_wait_policy(policy));
    }

    /// Sets how a part, or an end, finds out whether its client sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.calls.set_wake_check(check);
        self.outs.iter_mut().for_each(|out| out.set_wake_check(check));
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.calls.lanes()
    }

    /// The state of a lane's client, as far as known; `None` if there is no such lane, or it is damaged.
    #[must_use]
    pub fn peer(&self, lane: u32) -> Option<PeerStatus> {
        self.calls.peer(lane)
    }

    /// The dead participant that a lane's server's role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self, lane: u32) -> Option<Ident> {
        self.calls.taken_over_from(lane)
    }

    /// What is wrong in a lane, among its requests or its parts, if something is.
    #[must_use]
    pub fn fault(&self, lane: u32) -> Option<Violation> {
        self.calls.fault(lane).or_else(|| self.outs.get(lane as usize)?.fault())
    }
}

/// Ready while there is a request in any lane.
impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port, const N: usize> Waitable
    for LanesStreamServer<Req, Part, P, N>
{
}
impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port, const N: usize> Sealed
    for LanesStreamServer<Req, Part, P, N>
{
    fn looks(&self) -> u32 {
        self.lanes()
    }

    fn has_data(&mut self) -> bool {
        self.calls.has_data()
    }

    fn place(&self) -> Place<'_> {
        place_of_consumer(self.calls.park_word())
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.calls.prospect()
    }
}
