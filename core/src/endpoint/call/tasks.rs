//! Calls in tasks: `call().await` and `next().await`.

use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::tasks::{Due, WakerRegistration};
use crate::endpoint::wait_policy::WaitPolicy;
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::{AsyncWait, WaiterId};

use super::client::CallClient;
use super::error::{CallError, Ran, ServeError, Ticket};
use super::reply::Reply;
use super::server::CallServer;

pub(super) fn registration<P: Port + AsyncWait>(
    who: WaiterId,
    port: &P,
    park_word: Option<&ParkWord>,
    policy: WaitPolicy,
) -> WakerRegistration<P> {
    let (port, park_word) = (port.clone(), park_word.cloned());
    WakerRegistration { port, park_word, sleepers: Sleepers::One, policy, who }
}

impl<Req: Message, Ans: Message, P: Port + AsyncWait> CallClient<Req, Ans, P> {
    /// Makes a call and waits as long as it takes, first for a place and then for the answer.
    ///
    /// If the future is dropped before it is ready, the call may be out, and its place stays taken: use
    /// [`try_call`](Self::try_call) and [`wait`](Self::wait) where a future may be dropped.
    ///
    /// # Errors
    ///
    /// [`CallError`], never `TimedOut`; `Full` only if the next place is kept by a ticket that is out.
    pub async fn call(&mut self, request: &Req) -> Result<Ans, CallError> {
        self.may_call(request)?;
        if self.look_for_room().is_none() {
            self.room().await?;
        }
        let ticket = self.try_call(request)?;
        self.wait(ticket).await
    }

    async fn room(&mut self) -> Result<(), CallError> {
        let (port, policy) = (self.role.port.clone(), self.waiting.policy);
        let waits = registration(WaiterId::of(self), &port, self.own.as_ref(), policy);
        let mut due = Due::of(&port, policy);
        let look = || {
            // Borrowed for itself alone, so that the future can move to another thread.
            let this = &mut *self;
            let found = this.look_for_room();
            if found.is_some() || !due.is_now() {
                return found;
            }
            if this.server_died() {
                return Some(Err(CallError::PeerDied { ran: Ran::No }));
            }
            this.role.is_replaced().then_some(Err(CallError::Replaced { ran: Ran::No }))
        };
        waits.until(look).await
    }

    /// Waits for the answer of a call, as long as it takes. If the future is dropped before it is ready, the call is
    /// still out.
    ///
    /// # Errors
    ///
    /// [`CallError`], never `TimedOut` or `Full`.
    pub async fn wait(&mut self, ticket: Ticket) -> Result<Ans, CallError> {
        self.check_ticket(ticket)?;
        let (port, policy) = (self.role.port.clone(), self.waiting.policy);
        let waits = registration(WaiterId::of(self), &port, self.own.as_ref(), policy);
        let mut due = Due::of(&port, policy);
        let look = || {
            // As in `room`.
            let this = &mut *self;
            let found = this.look(ticket);
            if found.is_none() && due.is_now() { this.look_for_end(ticket, true) } else { found }
        };
        let end = waits.until(look).await;
        let mut answer = Ans::new_zeroed();
        self.take(ticket, end, &mut answer)?;
        Ok(answer)
    }
}

impl<Req: Message, Ans: Value + ?Sized, P: Port + AsyncWait> CallServer<Req, Ans, P> {
    /// Takes the next request, and the reply that is owed, waiting as long as it takes. If the future is dropped
    /// before it is ready, nothing was taken.
    ///
    /// # Errors
    ///
    /// [`ServeError::Replaced`] or [`ServeError::Fault`].
    pub async fn next(&mut self) -> Result<(Req, Reply<'_, Ans, P>), ServeError> {
        let who = WaiterId::of(self);
        let (half, waiting) = self.parts();
        half.refuse_current();
        let (port, policy) = (half.role.port.clone(), waiting.policy);
        let waits = registration(who, &port, self.park_word(), policy);
        let mut due = Due::of(&port, policy);
        let look = || {
            let found = self.look();
            if found.is_some() || !due.asks() || !self.is_replaced() {
                return found;
            }
            // The client may have made its last call between the look and its end.
            self.look().or(Some(Err(ServeError::Replaced)))
        };
        waits.until(look).await?;
        let mut request = Req::new_zeroed();
        let reply = self.read(&mut request);
        Ok((request, reply))
    }
}
