//! The calling side of a channel of calls.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::role::{PeerStatus, Role, Side};
use crate::endpoint::wait::{Waiting, wait_and_search};
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::sync::order::RELAXED;
use crate::protocol::Violation;
use crate::protocol::call::{self, Room, Status, Withdrawal};

use super::error::{CallError, Ran, Ticket, TryCallError};
use super::places::Parts;

/// The calling side of a channel of calls. One at a time; given back when dropped.
///
/// A call is made with [`try_call`](Self::try_call), which returns a [`Ticket`], and its answer is taken with
/// [`poll`](Self::poll) or [`wait_timeout`](Self::wait_timeout); [`call_timeout`](Self::call_timeout) does both. Several
/// calls can be out, each with its ticket, and their answers be taken in any order; but places are used in turn, so the
/// next call is refused while the answer in its place is not taken. The server takes calls in the order in which they
/// were made.
///
/// # If the server dies
///
/// A call then ends within a probe period of its [policy](Self::set_wait_policy) with [`CallError::PeerDied`], which
/// says whether the request may have run. A server that is slow or stopped is not dead. If there is no server yet, a
/// call waits for one.
///
/// # If the server misbehaves
///
/// It can answer nonsense, or not at all. An impossible ticket or status latches a fault.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::calls::<u32, u64>("square", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut client = region.call_client::<u32, u64>("square").unwrap();
/// let mut server = region.call_server::<u32, u64>("square").unwrap();
/// let (three, four) = (client.try_call(&3).unwrap(), client.try_call(&4).unwrap());
/// assert_eq!(client.poll(four), Ok(None));
/// assert_eq!(server.serve(|&n| u64::from(n) * u64::from(n)), Ok(2));
/// assert_eq!(client.poll(four), Ok(Some(16)));
/// assert_eq!(client.poll(three), Ok(Some(9)));
/// ```
///
/// How it works: the table of states and the invariants are in `core/src/protocol/call/mod.rs`.
pub struct CallClient<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> {
    /// The position of the next call, and which places are kept.
    pub(super) tx: call::Client,
    /// The channel's places and words.
    pub(super) parts: Parts<Req, Ans>,
    /// The word on which this side sleeps for answers.
    pub(super) own: Option<ParkWord>,
    /// The word on which the server sleeps for requests, perhaps shared with other channels.
    server: Option<ParkWord>,
    /// Whether a call fences before it looks for a sleeping server.
    check: WakeCheck,
    /// How it waits, with the learnt number of looks before a sleep.
    pub(super) waiting: Waiting,
    /// Whether a search has found that a call gets no answer, because the server is dead.
    pub(super) has_found_death: bool,
    /// The claimed role.
    pub(super) role: Role<P>,
}

impl<P: Port> Attachment<P> {
    /// Claims the client's role of a channel of calls. Calls that a dead client left are still served; their answers
    /// are lost.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn call_client<Req: Message, Ans: Message>(
        &self,
        name: &str,
    ) -> Result<CallClient<Req, Ans, P>, ChannelError> {
        CallClient::open(self, &self.calls::<Req, Ans>(name)?)
    }

    /// As [`call_client`](Self::call_client), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn call_client_of(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
    ) -> Result<CallClient<[u8], [u8], P>, ChannelError> {
        CallClient::open(self, &self.calls_of(name, request, answer)?)
    }
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> CallClient<Req, Ans, P> {
    pub(super) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let parts = Parts::of(attachment, entry)?;
        let role = Role::claim(attachment, entry, Side::A)?;
        let instance = attachment.header().instance;
        Ok(Self {
            tx: call::Client::adopt(&parts.mark, &parts.requests).map_err(ChannelError::Fault)?,
            parts,
            own: ParkWord::new(&role.port, entry.wait_a, instance),
            server: ParkWord::new(&role.port, entry.wait_b, instance),
            check: WakeCheck::default(),
            waiting: Waiting::new(WaitPolicy::parking()),
            has_found_death: false,
            role,
        })
    }

    /// Makes a call, and wakes the server if it sleeps. Steps: in proportion to the request's size; no loops over
    /// anything else.
    ///
    /// # Errors
    ///
    /// [`TryCallError`]; nothing was sent then.
    pub fn try_call(&mut self, request: &Req) -> Result<Ticket, TryCallError> {
        self.put(request, call::ASKED).map(Ticket)
    }

    /// Sends a request to which no answer is wanted. Steps as for [`try_call`](Self::try_call).
    ///
    /// It keeps its place until the server has done it, and comes in order with the calls. If a server dies with it,
    /// its successor runs it again or not, as [`Interrupted`](crate::Interrupted) says there.
    ///
    /// # Errors
    ///
    /// [`TryCallError`]; nothing was sent then.
    pub fn post(&mut self, request: &Req) -> Result<(), TryCallError> {
        self.put(request, call::POSTED).map(drop)
    }

    /// Whether this request can be sent at all.
    pub(super) fn may_call(&self, request: &Req) -> Result<(), TryCallError> {
        match self.role.latched() {
            Some(violation) => Err(TryCallError::Fault(violation)),
            None if self.parts.requests.values().takes(request) => Ok(()),
            None => Err(TryCallError::WrongSize),
        }
    }

    fn put(&mut self, request: &Req, mode: u32) -> Result<u32, TryCallError> {
        self.may_call(request)?;
        match self.tx.room(&self.parts.answers) {
            Ok(Room::Free) => Ok(self.publish(request, mode)),
            Ok(Room::Kept | Room::Busy) => {
                // ORDERING: Relaxed; our own counter.
                self.parts.refused.store(self.parts.refused.load(RELAXED).wrapping_add(1), RELAXED);
                Err(TryCallError::Full)
            }
            Err(violation) => Err(TryCallError::Fault(self.role.latch(violation))),
        }
    }

    /// Writes a request into the next place, which is free, and publishes it.
    fn publish(&mut self, request: &Req, mode: u32) -> u32 {
        let Parts { requests, mark, .. } = &self.parts;
        requests.values().write(self.tx.next(), request);
        let me = self.role.port.ident().map_or(0, Ident::word);
        let pos = self.tx.publish(mark, requests, me, mode);
        if let Some(server) = &self.server {
            server.wake(self.check, &self.role.port);
        }
        pos
    }

    /// Takes the answer of a call, if it has come. Two loads and the copy.
    ///
    /// # Errors
    ///
    /// [`CallError::PeerDied`], `Refused`, `UnknownTicket` or `Fault`. A server's death alone is not found here; waiting
    /// finds it, also with [`wait_any`](crate::wait_any), and [`cancel`](Self::cancel) asks.
    pub fn poll(&mut self, ticket: Ticket) -> Result<Option<Ans>, CallError>
    where
        Ans: Message,
    {
        let mut answer = Ans::new_zeroed();
        Ok(self.poll_into(ticket, &mut answer)?.then_some(answer))
    }

    /// As [`poll`](Self::poll), into `answer`; returns whether it has come.
    ///
    /// # Errors
    ///
    /// As [`poll`](Self::poll); `WrongSize` only for `[u8]`.
    pub fn poll_into(&mut self, ticket: Ticket, answer: &mut Ans) -> Result<bool, CallError> {
        self.check(ticket, answer)?;
        match self.look(ticket) {
            Some(end) => self.take(ticket, end, answer).map(|()| true),
            None if self.has_found_death => self.poll_slow(ticket, answer),
            None => Ok(false),
        }
    }

    /// Waits up to `timeout` for the answer of a call.
    ///
    /// # Errors
    ///
    /// [`CallError`], never `Full`. Of these, `TimedOut` leaves the ticket as it is.
    pub fn wait_timeout(&mut self, ticket: Ticket, timeout: Duration) -> Result<Ans, CallError>
    where
        Ans: Message,
    {
        let mut answer = Ans::new_zeroed();
        self.wait_into_timeout(ticket, &mut answer, timeout)?;
        Ok(answer)
    }

    /// As [`wait_timeout`](Self::wait_timeout), into `answer`.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn wait_into_timeout(
        &mut self,
        ticket: Ticket,
        answer: &mut Ans,
        timeout: Duration,
    ) -> Result<(), CallError> {
        let deadline = Deadline::after(&self.role.port, timeout);
        self.wait_until(ticket, answer, deadline)
    }

    fn wait_until(&mut self, ticket: Ticket, answer: &mut Ans, deadline: Deadline) -> Result<(), CallError> {
        self.check(ticket, answer)?;
        let asks = self.asks(deadline);
        let (end, waiting) = self.sleep(deadline, || self.look(ticket), || self.look_for_end(ticket, asks));
        self.waiting = waiting;
        match end {
            Some(end) => self.take(ticket, end, answer),
            None => Err(CallError::TimedOut { ticket }),
        }
    }

    /// Makes a call and waits up to `timeout`, first for a place and then for the answer.
    ///
    /// # Errors
    ///
    /// [`CallError`]. After `TimedOut` the call is still out: wait again with the ticket, or cancel it.
    pub fn call_timeout(&mut self, request: &Req, timeout: Duration) -> Result<Ans, CallError>
    where
        Ans: Message,
    {
        let mut answer = Ans::new_zeroed();
        self.call_into_timeout(request, &mut answer, timeout)?;
        Ok(answer)
    }

    /// As [`call_timeout`](Self::call_timeout), into `answer`.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn call_into_timeout(
        &mut self,
        request: &Req,
        answer: &mut Ans,
        timeout: Duration,
    ) -> Result<(), CallError> {
        if !self.parts.answers.values().takes(answer) {
            return Err(CallError::WrongSize);
        }
        self.may_call(request)?;
        let deadline = Deadline::after(&self.role.port, timeout);
        if self.look_for_room().is_none() {
            let asks = self.asks(deadline);
            let search = || match self.server_died() {
                true => Some(Err(CallError::PeerDied { ran: Ran::No })),
                false => {
                    (asks && self.role.is_replaced()).then_some(Err(CallError::Replaced { ran: Ran::No }))
                }
            };
            // Without a place in time, the attempt that follows is refused.
            self.sleep(deadline, || self.look_for_room(), search).0.unwrap_or(Ok(()))?;
        }
        let ticket = self.try_call(request)?;
        self.wait_until(ticket, answer, deadline)
    }

    /// Waits; returns also what was learnt about waiting.
    fn sleep<T>(
        &self,
        deadline: Deadline,
        look: impl FnMut() -> Option<T>,
        search: impl FnMut() -> Option<T>,
    ) -> (Option<T>, Waiting) {
        let (port, own, mut waiting) = (&self.role.port, self.own.as_ref(), self.waiting);
        let found = wait_and_search(port, own, Sleepers::One, &mut waiting, deadline, look, Some(search));
        (found, waiting)
    }

    /// Gives a call up: withdraws it, and returns whether it may have run. An answer that has come is dropped. One
    /// store, a fence, four loads at most.
    ///
    /// [`Ran::No`] is certain: no server has acted on the request, and none ever will.
    ///
    /// # Errors
    ///
    /// [`CallError::UnknownTicket`] or `Fault`.
    pub fn cancel(&mut self, ticket: Ticket) -> Result<Ran, CallError> {
        self.check_ticket(ticket)?;
        let withdrawn = self.tx.withdraw(&self.parts.requests, &self.parts.answers, ticket.0);
        self.tx.finish(ticket.0, self.places());
        match withdrawn {
            Ok(Withdrawal::Never | Withdrawal::Done(Status::Withdrawn)) => Ok(Ran::No),
            Ok(_) => Ok(Ran::Maybe),
            Err(violation) => Err(CallError::Fault(self.role.latch(violation))),
        }
    }

    fn check(&self, ticket: Ticket, answer: &Ans) -> Result<(), CallError> {
        self.check_ticket(ticket)?;
        if self.parts.answers.values().takes(answer) { Ok(()) } else { Err(CallError::WrongSize) }
    }

    pub(super) fn check_ticket(&self, ticket: Ticket) -> Result<(), CallError> {
        match self.role.latched() {
            Some(violation) => Err(CallError::Fault(violation)),
            None if self.tx.is_out(ticket.0, self.places()) => Ok(()),
            None => Err(CallError::UnknownTicket),
        }
    }

    /// Sets how this side waits; the probe period is also how often it asks whether the server is dead.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }

    /// Sets how a call finds out whether the server sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.check = check;
    }

    /// How many places there are: calls that can be out at once.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.parts.requests.capacity()
    }

    /// How many calls are out: made with a ticket that is neither used up nor cancelled.
    #[must_use]
    pub fn calls_out(&self) -> u32 {
        self.tx.calls_out()
    }

    /// The server's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
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
