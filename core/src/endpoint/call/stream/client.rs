//! The calling side of a channel of streams.

use core::marker::PhantomData;
use core::time::Duration;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::consumer::Consumer;
use crate::endpoint::error::{ChannelError, TryRecvError};
use crate::endpoint::options::ConsumerOptions;
use crate::endpoint::park_word::{ParkWord, Sleepers};
use crate::endpoint::peer_watch::Prospect;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait::wait_and_search;
use crate::endpoint::wait_any::Waitable;
use crate::endpoint::wait_any::sealed::{Place, Sealed};
use crate::endpoint::wait_policy::{Deadline, WaitPolicy, WakeCheck};
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::{AsyncWait, WaiterId};
use crate::protocol::Violation;
use crate::protocol::frames::footprint;

use super::super::client::CallClient;
use super::super::error::{CallError, Ran, Ticket, TryCallError};
use super::super::outcome::End;
use super::super::tasks::registration;
use crate::endpoint::tasks::Due;

/// What comes of a call with several answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streamed<Part> {
    /// The next part.
    Part(Part),
    /// There are no more. The call is over.
    End {
        /// How many there were; all of them have come.
        parts: u32,
    },
}

impl Streamed<()> {
    /// The same, with the part that was copied.
    fn with<Part>(self, part: Part) -> Streamed<Part> {
        match self {
            Self::Part(()) => Streamed::Part(part),
            Self::End { parts } => Streamed::End { parts },
        }
    }
}

/// The call that is out.
struct Out {
    ticket: Ticket,
    /// How many parts have come.
    received: u32,
}

/// What was found for a call that is out.
enum Found {
    /// A part, which was copied.
    Part,
    End(End),
}

/// The calling side of a channel of [`streams`](crate::Channel::streams): one call at a time, whose parts are read one
/// after the other until the end. One at a time; given back when dropped, which cancels its call.
///
/// # If the server dies
///
/// The parts that it sent come, and then [`CallError::PeerDied`], within a probe period of the
/// [policy](Self::set_wait_policy). No successor runs the request again.
///
/// # If the server misbehaves
///
/// It can send nonsense, or nothing. A part of another size, or an end with another number of parts than came, latches
/// a fault.
///
/// # Examples
///
/// See [`Channel::streams`](crate::Channel::streams). How it works is at the head of `core/src/endpoint/call/stream/mod.rs`.
pub struct StreamClient<Req: Value + ?Sized, Part: Value + ?Sized, P: Port> {
    /// The queue of parts; dropped first, because the role of the calls stands for both.
    parts: Consumer<P>,
    /// The calls, whose answers are the ends.
    calls: CallClient<Req, [u8], P>,
    out: Option<Out>,
    /// How long a part is.
    len: usize,
    part: PhantomData<fn(&mut Part)>,
}

impl<P: Port> Attachment<P> {
    /// Claims the client's role of a channel of [`streams`](crate::Channel::streams), of which `parts` names the
    /// channel of answers. What a dead client had asked for is still served, and its parts are dropped.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the roles are then as they were, or free.
    pub fn stream_client<Req: Message, Part: Message>(
        &self,
        name: &str,
        parts: &str,
    ) -> Result<StreamClient<Req, Part, P>, ChannelError> {
        let (calls, parts) = self.stream::<Req, Part>(name, parts)?;
        StreamClient::open(self, &calls, &parts, size_of::<Part>())
    }
}

/// What the queue of parts has for a call.
enum Next {
    /// A part, which was copied.
    Part,
    /// Parts of others, and perhaps more of them.
    Others,
    /// Nothing.
    Nothing,
}

/// Copies the next part of this call, if there is one, and drops parts of others before it: as many as the queue takes at
/// most.
fn next_part<Part: Value + ?Sized, P: Port>(
    parts: &mut Consumer<P>,
    ticket: Ticket,
    part: &mut Part,
) -> Result<Next, Violation> {
    let most = parts.capacity() / footprint(0);
    for _ in 0..=most {
        let peek = match parts.peek() {
            Ok(peek) => peek,
            Err(TryRecvError::Fault(violation)) => return Err(violation),
            Err(_) => return Ok(Next::Nothing),
        };
        if peek.info().tag != ticket.0.wrapping_add(1) {
            peek.release();
            continue;
        }
        if peek.info().len != part.bytes().len() {
            return Err(Violation::Length);
        }
        peek.copy_from(0, part.bytes_mut());
        peek.release();
        return Ok(Next::Part);
    }
    Ok(Next::Others)
}

/// Drops the parts that have come, of calls that nobody waits for: as many as the queue takes at most.
fn drop_parts<P: Port>(parts: &mut Consumer<P>) {
    let most = parts.capacity() / footprint(0);
    for _ in 0..=most {
        match parts.peek() {
            Ok(peek) => peek.release(),
            Err(_) => return,
        }
    }
}

/// What there is for this call: its next part, or else its end. The end is looked at first, because all parts were
/// published before it.
fn look<Req: Value + ?Sized, Part: Value + ?Sized, P: Port>(
    calls: &CallClient<Req, [u8], P>,
    parts: &mut Consumer<P>,
    out: &mut Out,
    part: &mut Part,
) -> Option<Found> {
    let end = calls.look(out.ticket);
    match next_part(parts, out.ticket, part) {
        Ok(Next::Part) => {
            out.received = out.received.wrapping_add(1);
            Some(Found::Part)
        }
        Ok(Next::Others) => None,
        Ok(Next::Nothing) => end.map(Found::End),
        Err(violation) => Some(Found::End(End::Fault(violation))),
    }
}

impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port> StreamClient<Req, Part, P> {
    /// Claims both roles of a client. One of several sleeps on the word of its calls, as the parts' word is no client's own.
    pub(super) fn open(
        attachment: &Attachment<P>,
        calls: &Entry,
        parts: &Entry,
        len: usize,
    ) -> Result<Self, ChannelError> {
        let is_lane = calls.lane.count > 1;
        let calls = CallClient::open(attachment, calls)?;
        let mut parts = Consumer::open(attachment, parts, ConsumerOptions::new())?;
        if is_lane {
            parts.sleep_on(calls.park_word().cloned());
        }
        Ok(Self { parts, calls, out: None, len, part: PhantomData })
    }

    /// Makes a call, and wakes the server if it sleeps. Steps: in proportion to the request's size; if older calls have
    /// all places, such as those of a dead predecessor, in proportion to the number of their parts in the queue, which its
    /// capacity bounds: they are dropped, so that the server gets on.
    ///
    /// # Errors
    ///
    /// [`TryCallError`], `Full` also if a call is out; nothing was sent then.
    pub fn start(&mut self, request: &Req) -> Result<(), TryCallError> {
        if self.out.is_some() {
            return Err(TryCallError::Full);
        }
        let ticket = self.calls.try_call(request).inspect_err(|error| {
            if *error == TryCallError::Full {
                drop_parts(&mut self.parts);
            }
        })?;
        self.out = Some(Out { ticket, received: 0 });
        Ok(())
    }

    /// Takes the next part of the call that is out, or its end, if either has come. Steps: in proportion to a part's
    /// size, and to the number of parts of older calls in the queue, which its capacity bounds.
    ///
    /// # Errors
    ///
    /// [`CallError::PeerDied`], `Refused`, `UnknownTicket` if no call is out, or `Fault`. The call is over then. A
    /// server's death alone is not found here; waiting finds it, and [`cancel`](Self::cancel) ends the call.
    pub fn try_next(&mut self) -> Result<Option<Streamed<Part>>, CallError>
    where
        Part: Message,
    {
        let mut part = Part::new_zeroed();
        Ok(self.try_next_into(&mut part)?.map(|next| next.with(part)))
    }

    /// As [`try_next`](Self::try_next), into `part`.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn try_next_into(&mut self, part: &mut Part) -> Result<Option<Streamed<()>>, CallError> {
        self.check(part)?;
        let Self { parts, calls, out, .. } = self;
        let out = out.as_mut().ok_or(CallError::UnknownTicket)?;
        let found = look(calls, parts, out, part);
        found.map(|found| self.take(found, part)).transpose()
    }

    /// As [`try_next`](Self::try_next), waiting up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`CallError`], never `Full`. Of these, `TimedOut` leaves the call as it is.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Streamed<Part>, CallError>
    where
        Part: Message,
    {
        let deadline = Deadline::after(&self.calls.role.port, timeout);
        self.next_until(deadline)
    }

    /// As [`try_next`](Self::try_next), waiting until `deadline`.
    ///
    /// # Errors
    ///
    /// As [`next_timeout`](Self::next_timeout).
    pub fn next_until(&mut self, deadline: Deadline) -> Result<Streamed<Part>, CallError>
    where
        Part: Message,
    {
        let mut part = Part::new_zeroed();
        Ok(self.next_into_until(&mut part, deadline)?.with(part))
    }

    /// As [`next_timeout`](Self::next_timeout), into `part`.
    ///
    /// # Errors
    ///
    /// As there; `WrongSize` only for `[u8]`.
    pub fn next_into_timeout(
        &mut self,
        part: &mut Part,
        timeout: Duration,
    ) -> Result<Streamed<()>, CallError> {
        let deadline = Deadline::after(&self.calls.role.port, timeout);
        self.next_into_until(part, deadline)
    }

    /// As [`next_into_timeout`](Self::next_into_timeout), waiting until `deadline`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn next_into_until(
        &mut self,
        part: &mut Part,
        deadline: Deadline,
    ) -> Result<Streamed<()>, CallError> {
        self.check(part)?;
        let Self { parts, calls, out, .. } = self;
        let out = out.as_mut().ok_or(CallError::UnknownTicket)?;
        let ticket = out.ticket;
        let (port, own) = (calls.role.port.clone(), parts.park_word().cloned());
        let mut waiting = calls.waiting;
        let asks = calls.asks(deadline);
        let search = || calls.look_for_end(ticket, asks).map(Found::End);
        let look_now = || look(calls, parts, out, &mut *part);
        let own = own.as_ref();
        let found =
            wait_and_search(&port, own, Sleepers::One, &mut waiting, deadline, look_now, Some(search));
        calls.waiting = waiting;
        match found {
            Some(found) => self.take(found, part),
            None => Err(CallError::TimedOut { ticket }),
        }
    }

    /// As [`try_next`](Self::try_next), waiting in a task as long as it takes. If the future is dropped before it is
    /// ready, nothing was taken.
    ///
    /// # Errors
    ///
    /// [`CallError`], never `Full` or `TimedOut`.
    pub async fn next(&mut self) -> Result<Streamed<Part>, CallError>
    where
        Part: Message,
        P: AsyncWait,
    {
        let who = WaiterId::of(self);
        let mut part = Part::new_zeroed();
        let Self { parts, calls, out, .. } = self;
        let out = out.as_mut().ok_or(CallError::UnknownTicket)?;
        let (port, policy) = (calls.role.port.clone(), calls.waiting.policy);
        let waits = registration(who, &port, parts.park_word(), policy);
        let mut due = Due::of(&port, policy);
        let found = waits
            .until(|| {
                // Borrowed for themselves alone, so that the future can move to another thread.
                let (calls, parts, out) = (&mut *calls, &mut *parts, &mut *out);
                let found = look(calls, parts, out, &mut part);
                let search = found.is_none() && due.is_now();
                if search { calls.look_for_end(out.ticket, true).map(Found::End) } else { found }
            })
            .await;
        Ok(self.take(found, &mut part)?.with(part))
    }

    fn check(&self, part: &Part) -> Result<(), CallError> {
        if part.bytes().len() == self.len { Ok(()) } else { Err(CallError::WrongSize) }
    }

    /// A part that was found is the caller's; an end ends the call, unless there are parts before it.
    fn take(&mut self, found: Found, part: &mut Part) -> Result<Streamed<()>, CallError> {
        let Self { parts, calls, out, .. } = self;
        let out = out.as_mut().ok_or(CallError::UnknownTicket)?;
        let found = match found {
            // It may come from a search, and not from a look.
            Found::End(end) => look(calls, parts, out, part).unwrap_or(Found::End(end)),
            Found::Part => Found::Part,
        };
        let end = match found {
            Found::Part => return Ok(Streamed::Part(())),
            Found::End(end) => end,
        };
        let Out { ticket, received } = *out;
        self.out = None;
        self.calls.check_ticket(ticket)?;
        let mut count = [0; size_of::<u32>()];
        self.calls.take(ticket, end, &mut count)?;
        let parts = u32::from_le_bytes(count);
        if parts != received {
            self.calls.role.latch(Violation::Sequence);
            return Err(CallError::Fault(Violation::Sequence));
        }
        Ok(Streamed::End { parts })
    }

    /// Gives the call that is out up: withdraws it, and returns whether it may have run. Parts that have come are
    /// dropped. One store, a fence, four loads at most.
    ///
    /// # Errors
    ///
    /// [`CallError::UnknownTicket`] if no call is out, or `Fault`.
    pub fn cancel(&mut self) -> Result<Ran, CallError> {
        let out = self.out.take().ok_or(CallError::UnknownTicket)?;
        self.calls.cancel(out.ticket)
    }

    /// Whether a call is out: started, and neither over nor cancelled.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.out.is_some()
    }

    /// Sets how this side waits; the probe period is also how often it asks whether the server is dead.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.calls.set_wait_policy(policy);
    }

    /// Sets how a call finds out whether the server sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.calls.set_wake_check(check);
    }

    /// The server's state, as far as known.
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
        self.calls.fault().or_else(|| self.parts.fault())
    }

    fn park_word(&self) -> Option<&ParkWord> {
        self.parts.park_word()
    }

    /// Whether the next attempt finds a part or an end. Parts of other calls are dropped.
    fn has_next(&mut self) -> bool {
        let Self { parts, calls, out, .. } = self;
        let Some(out) = out.as_ref() else { return false };
        let end = calls.look(out.ticket);
        let most = parts.capacity() / footprint(0);
        for _ in 0..=most {
            match parts.peek() {
                Ok(peek) if peek.info().tag == out.ticket.0.wrapping_add(1) => return true,
                Ok(peek) => peek.release(),
                Err(TryRecvError::Fault(_)) => return true,
                Err(_) => break,
            }
        }
        end.is_some() || calls.has_found_death
    }
}

/// Ready while the call that is out has a part or an end to take. A dead server is found within the probe period.
impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port> Waitable for StreamClient<Req, Part, P> {}
impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port> Sealed for StreamClient<Req, Part, P> {
    fn has_data(&mut self) -> bool {
        self.has_next()
    }

    fn place(&self) -> Place<'_> {
        self.park_word().map_or(Place::Polled, |word| Place::Word(word, Sleepers::One))
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(self)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.calls.role.prospect()
    }

    fn searches(&self) -> bool {
        self.is_out()
    }

    fn search(&mut self) -> bool {
        self.calls.find_death()
    }
}

impl<Req: Value + ?Sized, Part: Value + ?Sized, P: Port> Drop for StreamClient<Req, Part, P> {
    fn drop(&mut self) {
        if self.calls.role.is_ours() {
            let _ = self.cancel();
        }
    }
}
