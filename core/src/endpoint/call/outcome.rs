//! What becomes of a call: done, or never to be done because its server is dead.

use crate::endpoint::role::PeerStatus;
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
            End::Fault(violation) => {
                self.role.latch(violation);
                Err(CallError::Fault(violation))
            }
        }
    }
}
