//! The serving side of a channel of calls.

use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::peer_watch::{Prospect, is_replaced};
use crate::endpoint::role::{PeerStatus, Role, Side};
use crate::endpoint::wait::{Waiting, wait_and_search};
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::call::CALLER;
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::{Message, ValueType};
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::places::Places;
use crate::ground::sync::order::RELAXED;
use crate::protocol::Violation;
use crate::protocol::call::{self, Status};

use super::error::ServeError;
use super::places::Parts;
use super::reply::{Half, Reply};

/// What a server does with the request that a dead server had taken and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Interrupted {
    /// It does not run it, and tells the client that it may have run.
    #[default]
    Tell,
    /// It runs it again: for requests that may run twice.
    Again,
}

/// The serving side of a channel of calls. One at a time; given back when dropped.
///
/// It takes one request after the other, in the order in which they were made, and never waits for the client: each
/// answer has its place. A [`Reply`] that is dropped refuses its request.
///
/// # If the client dies
///
/// What it has asked for is still served, in order, and its answers go nowhere.
///
/// # If a server dies
///
/// Its successor takes what the dead one had not taken. What it had taken and not answered is treated as
/// [`Interrupted`] says.
///
/// # If the client misbehaves
///
/// It can ask for nonsense, as anybody can. An impossible ticket or mode latches a fault.
///
/// # Examples
///
/// ```
/// use strait_core::{CallError, Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::calls::<i32, i32>("root", 4)]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
/// const NEGATIVE: u16 = 1;
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut client = region.call_client::<i32, i32>("root").unwrap();
/// let mut server = region.call_server::<i32, i32>("root").unwrap();
/// let (good, bad) = (client.try_call(&49).unwrap(), client.try_call(&-1).unwrap());
/// while let Ok((number, reply)) = server.try_next() {
///     match number.checked_isqrt() {
///         Some(root) => reply.answer(&root),
///         None => reply.refuse(NEGATIVE),
///     }
/// }
/// assert_eq!(client.poll(good), Ok(Some(7)));
/// assert_eq!(client.poll(bad), Err(CallError::Refused { code: NEGATIVE }));
/// ```
///
/// How it works: the table of states and the invariants are in `core/src/protocol/call/mod.rs`.
pub struct CallServer<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> {
    /// The part that answers.
    half: Half<Ans, P>,
    /// The client's places; this side writes none.
    requests: Places<Req>,
    /// What to do with the request that a dead server had taken.
    interrupted: Interrupted,
    /// The word on which this side sleeps for requests, perhaps shared with other channels.
    own: Option<ParkWord>,
    /// How it waits, with the learnt number of looks before a sleep.
    waiting: Waiting,
}

impl<P: Port> Attachment<P> {
    /// Claims the server's role of a channel of calls.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn call_server<Req: Message, Ans: Message>(
        &self,
        name: &str,
    ) -> Result<CallServer<Req, Ans, P>, ChannelError> {
        CallServer::open(self, &self.calls::<Req, Ans>(name)?)
    }

    /// As [`call_server`](Self::call_server), of types that are known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn call_server_of(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
    ) -> Result<CallServer<[u8], [u8], P>, ChannelError> {
        CallServer::open(self, &self.calls_of(name, request, answer)?)
    }
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> CallServer<Req, Ans, P> {
    pub(super) fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let Parts { requests, answers, head, .. } = Parts::of(attachment, entry)?;
        let role = Role::claim(attachment, entry, Side::B)?;
        let instance = attachment.header().instance;
        let half = Half {
            rx: call::Server::adopt(&head, &requests, &answers).map_err(ChannelError::Fault)?,
            answers,
            head,
            current: None,
            client: ParkWord::new(&role.port, entry.wait_a, instance),
            check: WakeCheck::default(),
            role,
        };
        Ok(Self {
            half,
            requests,
            interrupted: Interrupted::default(),
            own: ParkWord::of_consumer(attachment, entry),
            waiting: Waiting::new(WaitPolicy::parking()),
        })
    }

    /// Takes the next request, and the reply that is owed. A request that was taken before and not answered is
    /// refused. Steps: in proportion to the request's size, and to the number of places if requests were withdrawn.
    ///
    /// # Errors
    ///
    /// [`ServeError::Empty`] or [`ServeError::Fault`].
    pub fn try_next(&mut self) -> Result<(Req, Reply<'_, Ans, P>), ServeError>
    where
        Req: Message,
    {
        let mut request = Req::new_zeroed();
        let reply = self.try_next_into(&mut request)?;
        Ok((request, reply))
    }

    /// As [`try_next`](Self::try_next), into `request`.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn try_next_into(&mut self, request: &mut Req) -> Result<Reply<'_, Ans, P>, ServeError> {
        if !self.requests.values().takes(request) {
            return Err(ServeError::WrongSize);
        }
        self.half.refuse_current();
        self.take()?;
        Ok(self.read(request))
    }

    /// Takes the next request that its client still wants.
    pub(super) fn take(&mut self) -> Result<(), ServeError> {
        // As many as there are places can have been withdrawn; a client that withdraws more meanwhile is not
        // waited for.
        for _ in 0..=self.requests.capacity() {
            if !self.is_there()? {
                break;
            }
            let me = self.half.role.port.ident().map_or(0, Ident::word);
            let taken = self.half.rx.take(&self.requests, &self.half.answers, me);
            let take = taken.map_err(|violation| self.fault_slow(violation))?;
            let tell = take.again && self.interrupted == Interrupted::Tell;
            match (take.withdrawn, take.again) {
                (true, false) => self.half.finish(Status::Withdrawn),
                (true, true) => self.half.finish(Status::Interrupted),
                _ if tell => self.half.finish(Status::Interrupted),
                _ => {
                    // ORDERING: Relaxed; after the ticket.
                    let caller = self.requests.word(take.pos, CALLER).load(RELAXED);
                    self.half.current = Some((take, Ident::from_word(caller)));
                    return Ok(());
                }
            }
        }
        Err(ServeError::Empty)
    }

    /// Whether there is a request behind the one that is taken, if one is.
    fn is_there(&mut self) -> Result<bool, ServeError> {
        if let Some(violation) = self.half.role.latched() {
            return Err(ServeError::Fault(violation));
        }
        let pos = self.half.rx.next().wrapping_add(u32::from(self.half.current.is_some()));
        self.half.rx.is_there(&self.requests, pos).map_err(|violation| self.fault_slow(violation))
    }

    #[cold]
    fn fault_slow(&mut self, violation: Violation) -> ServeError {
        ServeError::Fault(self.half.role.latch(violation))
    }

    /// Whether the request that was taken last has no answer yet, because its reply was [kept](Reply::keep).
    #[must_use]
    pub fn has_reply(&self) -> bool {
        self.half.current.is_some()
    }

    /// The reply to the request that was taken last, if it was [kept](Reply::keep). As ever, one that is dropped refuses the
    /// request; [`has_reply`](Self::has_reply) asks without.
    pub fn reply(&mut self) -> Option<Reply<'_, Ans, P>> {
        self.half.current.is_some().then(|| Reply::new(&mut self.half))
    }

    /// Takes the next request, waiting up to `timeout` for it.
    ///
    /// # Errors
    ///
    /// [`ServeError::TimedOut`] or [`ServeError::Fault`].
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<(Req, Reply<'_, Ans, P>), ServeError>
    where
        Req: Message,
    {
        let mut request = Req::new_zeroed();
        let reply = self.next_into_timeout(&mut request, timeout)?;
        Ok((request, reply))
    }

    /// As [`next_timeout`](Self::next_timeout), into `request`.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn next_into_timeout(
        &mut self,
        request: &mut Req,
        timeout: Duration,
    ) -> Result<Reply<'_, Ans, P>, ServeError> {
        if !self.requests.values().takes(request) {
            return Err(ServeError::WrongSize);
        }
        self.half.refuse_current();
        self.wait(timeout)?;
        Ok(self.read(request))
    }

    /// Copies the request that was taken.
    pub(super) fn read(&mut self, request: &mut Req) -> Reply<'_, Ans, P> {
        self.requests.values().read_into(self.half.rx.next(), request);
        Reply::new(&mut self.half)
    }

    /// Takes the next request, waiting for it.
    fn wait(&mut self, timeout: Duration) -> Result<(), ServeError> {
        let port = self.half.role.port.clone();
        let (park_word, mut waiting) = (self.own.clone(), self.waiting);
        let deadline = Deadline::after(&port, timeout);
        let client = self.half.role.peer_word();
        let gone = || is_replaced(client.as_ref(), &port).then_some(Err(ServeError::Replaced));
        // A call that may not wait is no wait: it makes no system call.
        let gone = (P::CAN_BE_REPLACED && !deadline.left(&port).is_zero()).then_some(gone);
        let (word, one, look) = (park_word.as_ref(), Sleepers::One, || self.look());
        let mut taken = wait_and_search(&port, word, one, &mut waiting, deadline, look, gone);
        if matches!(taken, Some(Err(ServeError::Replaced))) {
            // The client may have made its last call between the look and its end.
            taken = self.look().or(taken);
        }
        self.waiting = waiting;
        taken.unwrap_or(Err(ServeError::TimedOut))
    }

    /// Whether no client is there, and none can come. System calls.
    pub(super) fn is_replaced(&self) -> bool {
        self.half.role.is_replaced()
    }

    /// Takes the next request, if there is one.
    pub(super) fn look(&mut self) -> Option<Result<(), ServeError>> {
        match self.take() {
            Err(ServeError::Empty) => None,
            taken => Some(taken),
        }
    }

    /// Serves all requests that are waiting, and those that come meanwhile, as many as there are places at most; returns
    /// how many there were. If `serve` panics, its request is refused.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if there is not even one. A fault behind others shows at the next call.
    pub fn serve(&mut self, mut serve: impl FnMut(&Req) -> Ans) -> Result<u32, ServeError>
    where
        Req: Message,
        Ans: Message,
    {
        let mut served = 0;
        while served < self.places() {
            match self.try_next() {
                Ok((request, reply)) => reply.answer(&serve(&request)),
                Err(error) if served == 0 => return Err(error),
                Err(_) => break,
            }
            served += 1;
        }
        Ok(served)
    }

    /// As [`serve`](Self::serve), waiting up to `timeout` for the first.
    ///
    /// # Errors
    ///
    /// [`ServeError::TimedOut`] or [`ServeError::Fault`].
    pub fn serve_timeout(
        &mut self,
        timeout: Duration,
        mut serve: impl FnMut(&Req) -> Ans,
    ) -> Result<u32, ServeError>
    where
        Req: Message,
        Ans: Message,
    {
        let (request, reply) = self.next_timeout(timeout)?;
        reply.answer(&serve(&request));
        Ok(1 + self.serve(serve).unwrap_or(0))
    }

    /// Sets what becomes of the request that a dead server had taken and not answered. Set it before the first
    /// request is taken.
    pub fn set_interrupted(&mut self, interrupted: Interrupted) {
        self.interrupted = interrupted;
    }

    /// Sets how this side waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }

    /// Sets how an answer finds out whether the client sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.half.check = check;
    }

    /// How many places there are: calls that can be out at once.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.requests.capacity()
    }

    /// The client's state, as far as known.
    #[must_use]
    pub fn peer(&self) -> PeerStatus {
        self.half.role.peer()
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.half.role.taken_over_from()
    }

    /// The violation that was latched, if any.
    #[must_use]
    pub fn fault(&self) -> Option<Violation> {
        self.half.role.latched()
    }

    /// Whether there is a request, perhaps a withdrawn one, or a fault.
    pub(crate) fn has_data(&mut self) -> bool {
        self.is_there().unwrap_or_else(|_| self.half.role.tell_fault())
    }

    /// As [`has_data`](Self::has_data), without a note of a fault.
    pub(super) fn has_request(&self) -> bool {
        self.half.rx.is_there(&self.requests, self.half.rx.next()) != Ok(false)
    }

    /// Whether the client of the request that is taken wants no answer, or no more of it. One load.
    pub(super) fn is_unwanted(&self) -> bool {
        self.half.current.is_none_or(|(take, _)| take.posted || self.half.rx.is_withdrawn(&self.requests))
    }

    /// Whether a reply is kept.
    pub(super) fn is_busy(&self) -> bool {
        self.half.current.is_some()
    }

    /// What can still come, for a wait for several.
    pub(in crate::endpoint) fn prospect(&self) -> Option<Prospect<'_>> {
        self.half.role.prospect()
    }

    pub(super) fn takes(&self, request: &Req) -> bool {
        self.requests.values().takes(request)
    }

    pub(crate) fn park_word(&self) -> Option<&ParkWord> {
        self.own.as_ref()
    }

    pub(super) fn parts(&mut self) -> (&mut Half<Ans, P>, &Waiting) {
        (&mut self.half, &self.waiting)
    }
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> Drop for CallServer<Req, Ans, P> {
    fn drop(&mut self) {
        if self.half.role.is_ours() {
            self.half.refuse_current();
        }
    }
}
