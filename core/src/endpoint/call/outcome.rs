//! What becomes of a call: done, or never to be done because its server is dead.

use crate::endpoint::park_word::ParkWord;
use crate::endpoint::role::PeerStatus;
use crate::endpoint::wait_policy::Deadline;
use crate::ground::ident::Ident;
use crate::ground::port::{Port, Probe};
use crate::ground::ring::Value;
use crate::protocol::Violation;
use crate::protocol::call::{Room, Status, Withdrawal};

use super::client::CallClient;
use super::error::{CallError, Ran, Ticket};

/// How a wait for an answer ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// The call is done.
    Done(Status),
    /// The server is dead.
    Died(Ran),
    /// There is no server, and none can come.
    Replaced(Ran),
    /// The server broke the protocol.
    Fault(Violation),
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized, P: Port> CallClient<Req, Ans, P> {
    /// How the call ended, if it has. One load, two at the end.
    pub(super) fn look(&self, ticket: Ticket) -> Option<End> {
        match self.tx.status(&self.parts.answers, ticket.0) {
            Ok(status) => status.map(End::Done),
            Err(violation) => Some(End::Fault(violation)),
        }
    }

    /// Whether the place of the next call is free, or there is a reason not to wait for it that the attempt to
    /// call finds too.
    pub(super) fn look_for_room(&self) -> Option<Result<(), CallError>> {
        match self.tx.room(&self.parts.answers) {
            Ok(Room::Busy) => None,
            Ok(Room::Free | Room::Kept) | Err(_) => Some(Ok(())),
        }
    }

    /// Whether the server is proven dead, and has no successor. One probe.
    pub(super) fn server_died(&self) -> bool {
        self.role.peer() == PeerStatus::Dead
    }

    /// Whether the call will get no answer, because its server is dead: then it is withdrawn. Two probes at most.
    pub(super) fn look_for_death(&self, ticket: Ticket) -> Option<End> {
        let answers = &self.parts.answers;
        match self.role.peer() {
            PeerStatus::Present => return None,
            PeerStatus::Dead => {}
            // A server that comes will take it, unless a dead one has.
            PeerStatus::Absent => match self.tx.taken_by(answers, ticket.0) {
                Ok(by) if !by.is_some_and(|by| self.is_dead(by)) => return None,
                Ok(_) => {}
                Err(violation) => return Some(End::Fault(violation)),
            },
        }
        match self.tx.withdraw(&self.parts.requests, answers, ticket.0) {
            Ok(Withdrawal::Never) => Some(End::Died(Ran::No)),
            Ok(Withdrawal::Taken { by }) => self.is_dead(by).then_some(End::Died(Ran::Maybe)),
            Ok(Withdrawal::Done(status)) => Some(End::Done(status)),
            Err(violation) => Some(End::Fault(violation)),
        }
    }

    /// As [`look_for_death`](Self::look_for_death), and, if `asks` is set, whether there is no server and none can come: then
    /// the call is withdrawn too. System calls.
    pub(super) fn look_for_end(&self, ticket: Ticket, asks: bool) -> Option<End> {
        let found = self.look_for_death(ticket);
        if found.is_some() || !asks || !self.role.is_replaced() {
            return found;
        }
        Some(match self.tx.withdraw(&self.parts.requests, &self.parts.answers, ticket.0) {
            Ok(Withdrawal::Never) => End::Replaced(Ran::No),
            Ok(Withdrawal::Taken { .. }) => End::Replaced(Ran::Maybe),
            Ok(Withdrawal::Done(status)) => End::Done(status),
            Err(violation) => End::Fault(violation),
        })
    }

    /// Whether a wait until `deadline` asks for a replaced region: one that may not wait makes no system call.
    pub(super) fn asks(&self, deadline: Deadline) -> bool {
        P::CAN_BE_REPLACED && !deadline.left(&self.role.port).is_zero()
    }

    /// The first call that is out and has ended, in the order in which they were made; [`poll`](Self::poll) returns how.
    /// One load a call that is out.
    #[must_use]
    pub fn ended(&self) -> Option<Ticket> {
        self.tx.ended(&self.parts.answers).map(Ticket)
    }

    /// Whether a call that is out has ended, or there is a fault that this has not returned `true` for.
    pub(crate) fn has_answer(&mut self) -> bool {
        match self.role.latched() {
            Some(_) => self.role.tell_fault(),
            None => self.ended().is_some() || self.has_found_death && self.calls_out() > 0,
        }
    }

    /// Whether a call that is out gets no answer, because the server is dead; [`poll`](Self::poll) then finds that too. One
    /// probe, and two a call at most.
    pub(crate) fn find_death(&mut self) -> bool {
        let is_present = self.role.latched().is_some() || self.role.peer() == PeerStatus::Present;
        self.has_found_death = !is_present && self.out().any(|ticket| self.look_for_death(ticket).is_some());
        self.has_found_death
    }

    /// The calls that are out, in the order in which they were made.
    fn out(&self) -> impl Iterator<Item = Ticket> {
        let (next, places) = (self.tx.next(), self.places());
        let calls = (1..=places).rev().map(move |age| next.wrapping_sub(age));
        calls.filter(move |&pos| self.tx.is_out(pos, places)).map(Ticket)
    }

    /// As [`poll_into`](Self::poll_into) of a call without an answer, after a search has found the server dead.
    #[cold]
    pub(super) fn poll_slow(&mut self, ticket: Ticket, answer: &mut Ans) -> Result<bool, CallError> {
        match self.look_for_death(ticket) {
            Some(end) => self.take(ticket, end, answer).map(|()| true),
            None => {
                // It has a successor, or the call was not lost.
                self.has_found_death = false;
                Ok(false)
            }
        }
    }

    pub(crate) fn park_word(&self) -> Option<&ParkWord> {
        self.own.as_ref()
    }

    fn is_dead(&self, server: u32) -> bool {
        Ident::from_word(server).is_some_and(|who| self.role.port.probe(who) == Probe::Dead)
    }

    /// Uses the ticket up, and copies the answer if there is one.
    pub(super) fn take(&mut self, ticket: Ticket, end: End, answer: &mut Ans) -> Result<(), CallError> {
        self.tx.finish(ticket.0, self.places());
        match end {
            End::Done(Status::Answered) => {
                self.parts.answers.values().read_into(ticket.0, answer);
                Ok(())
            }
            End::Done(Status::Refused(code)) => Err(CallError::Refused { code }),
            // Withdrawn because a server was dead, and then seen by its successor.
            End::Done(Status::Withdrawn) => Err(CallError::PeerDied { ran: Ran::No }),
            End::Done(Status::Interrupted) => Err(CallError::PeerDied { ran: Ran::Maybe }),
            End::Died(ran) => Err(CallError::PeerDied { ran }),
            End::Replaced(ran) => Err(CallError::Replaced { ran }),
            End::Fault(violation) => Err(CallError::Fault(self.role.latch(violation))),
        }
    }
}
