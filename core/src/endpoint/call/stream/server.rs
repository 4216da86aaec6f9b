//! The serving side of a channel of streams.

use core::marker::PhantomData;
use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::producer::Producer;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_any::sealed::{Place, Sealed};
use crate::endpoint::wait_any::{Waitable, place_of_consumer};
use crate::endpoint::wait_policy::{WaitPolicy, WakeCheck};
use crate::ground::ident::Ident;
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::Violation;

use super::super::error::ServeError;
use super::super::server::CallServer;
use super::PartError;
use super::parts::{Outgoing, Parts};

/// The serving side of a channel of [`streams`](crate::Channel::streams): takes one request after the other, and sends
/// the parts of its answer. One at a time; given back when dropped.
///
/// # If the client dies
///
/// Nobody reads the parts: the queue gets full, and [`peer`](Self::peer) says why.
///
/// # If the client misbehaves
///
/// It can ask nonsense, and read nothing. What it must not write latches a fault.
///
/// # Examples
///
/// See [`Channel::streams`](crate::Channel::streams).
pub struct StreamServer<Req: Message, Part: Message, P: Port> {
    /// The queue of parts; dropped first, because the role of the calls stands for both.
    out: Outgoing<P>,
    /// The calls, whose answers are the ends.
    calls: CallServer<Req, [u8], P>,
    part: PhantomData<fn(&Part)>,
}

impl<P: Port> Attachment<P> {
    /// Claims the server's role of a channel of [`streams`](crate::Channel::streams), of which `parts` names the
    /// channel of answers. The request that a dead server had taken is not run again.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the roles are then as they were, or free.
    pub fn stream_server<Req: Message, Part: Message>(
        &self,
        name: &str,
        parts: &str,
    ) -> Result<StreamServer<Req, Part, P>, ChannelError> {
        let (calls, parts) = self.stream::<Req, Part>(name, parts)?;
        let mut calls = CallServer::open(self, &calls)?;
        // The client sleeps on one word, that of its parts; so the end of a call rings there too.
        calls.parts().0.client = ParkWord::new(self.port(), parts.wait_b, self.header().instance);
        let out = Outgoing::new(Producer::open(self, &parts)?, size_of::<Part>());
        Ok(StreamServer { out, calls, part: PhantomData })
    }
}

impl<Req: Message, Part: Message, P: Port> StreamServer<Req, Part, P> {
    /// Takes the next request, and the reply that is owed. A request that was taken before and not ended is refused.
    /// Steps: as of [`CallServer::try_next`](crate::CallServer::try_next).
    ///
    /// # Errors
    ///
    /// [`ServeError::Empty`] or [`ServeError::Fault`].
    pub fn try_next(&mut self) -> Result<(Req, Parts<'_, Req, Part, P>), ServeError> {
        let (request, reply) = self.calls.try_next()?;
        reply.keep();
        Ok((request, self.begin()))
    }

    /// As [`try_next`](Self::try_next), waiting up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`ServeError::TimedOut`] or [`ServeError::Fault`].
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<(Req, Parts<'_, Req, Part, P>), ServeError> {
        let (request, reply) = self.calls.next_timeout(timeout)?;
        reply.keep();
        Ok((request, self.begin()))
    }

    /// As [`try_next`](Self::try_next), waiting in a task as long as it takes. If the future is dropped before it is
    /// ready, nothing was taken.
    ///
    /// # Errors
    ///
    /// [`ServeError::Replaced`] or [`ServeError::Fault`].
    pub async fn next(&mut self) -> Result<(Req, Parts<'_, Req, Part, P>), ServeError>
    where
        P: AsyncWait,
    {
        let (request, reply) = self.calls.next().await?;
        reply.keep();
        Ok((request, self.begin()))
    }

    fn begin(&mut self) -> Parts<'_, Req, Part, P> {
        Parts::begin(&mut self.calls, &mut self.out)
    }

    /// Serves all requests that are waiting, and those that come meanwhile, as many as there are places at most; returns
    /// how many there were. `serve`
    /// sends the parts. If it fails, or panics, the request is refused with code 0.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if there is not even one. A fault behind others shows at the next call.
    pub fn serve(
        &mut self,
        mut serve: impl FnMut(&Req, &mut Parts<'_, Req, Part, P>) -> Result<(), PartError>,
    ) -> Result<u32, ServeError> {
        let mut served = 0;
        while served < self.calls.places() {
            match self.try_next() {
                Ok((request, mut parts)) => {
                    if serve(&request, &mut parts).is_ok() {
                        parts.end();
                    }
                }
                Err(error) if served == 0 => return Err(error),
                Err(_) => break,
            }
            served += 1;
        }
        Ok(served)
    }

    /// The reply to the request that was taken last, if it was [kept](Parts::keep).
    pub fn parts(&mut self) -> Option<Parts<'_, Req, Part, P>> {
        self.calls.reply()?.keep();
        Some(Parts::resume(&mut self.calls, &mut self.out))
    }

    /// Sets how this side waits; the probe period is also how often it asks, while it waits for room, whether the
    /// client has cancelled.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.calls.set_wait_policy(policy);
        self.out.set_wait_policy(policy);
    }

    /// Sets how a part, or an end, finds out whether the client sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.calls.set_wake_check(check);
        self.out.set_wake_check(check);
    }

    /// The client's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
        self.calls.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.calls.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.calls.fault().or_else(|| self.out.fault())
    }
}

/// Ready while there is a request.
impl<Req: Message, Part: Message, P: Port> Waitable for StreamServer<Req, Part, P> {}
impl<Req: Message, Part: Message, P: Port> Sealed for StreamServer<Req, Part, P> {
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
