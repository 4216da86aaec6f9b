//! The server's side of calls.

use crate::ground::call::{DONE, MODE, STATUS, TAKEN, TAKEN_BY, TICKET};
use crate::ground::ring::Value;
use crate::ground::ring::places::Places;
use crate::ground::sync::order::{RELAXED, call_done, call_taken, call_withdraw, publish};
use crate::ground::sync::{Word, fence, in_order};
use crate::protocol::Violation;

use super::{ASKED, POSTED, Status, WITHDRAWN, is_reached};

/// A call that a server has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// Its position.
    pub pos: u32,
    /// Whether its client has withdrawn it: then the server must not act.
    pub withdrawn: bool,
    /// Whether its client wants no answer.
    pub posted: bool,
    /// Whether a server that died had taken it, so that it may have run.
    pub again: bool,
}

/// The server's private state.
#[derive(Debug)]
pub struct Server {
    /// The position of the first call that is not done.
    next: u32,
    /// Whether a server that died had taken that call.
    interrupted: bool,
}

impl Server {
    /// Takes the role up where the last server left it: a step for each place at most, in honest regions one or two.
    ///
    /// # Errors
    ///
    /// [`Violation::Walk`] if more calls seem to be done than there are places.
    pub fn adopt<Q: Value + ?Sized, A: Value + ?Sized>(
        head: &Word,
        requests: &Places<Q>,
        answers: &Places<A>,
    ) -> Result<Self, Violation> {
        // ORDERING: Relaxed, all; claiming the role has synchronised with the last server's end.
        let start = head.load(RELAXED);
        let mut next = start;
        while answers.word(next, DONE).load(RELAXED) == next.wrapping_add(1) {
            next = next.wrapping_add(1);
            if next.wrapping_sub(start) > answers.capacity() {
                return Err(Violation::Walk);
            }
        }
        head.store(next, RELAXED);
        let ticket = next.wrapping_add(1);
        // Taken, and not only by a lie: then there is such a request.
        let interrupted = answers.word(next, TAKEN).load(RELAXED) == ticket
            && requests.word(next, TICKET).load(RELAXED) == ticket;
        Ok(Self { next, interrupted })
    }

    /// The position of the first call that is not done.
    #[inline(always)]
    #[must_use]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Whether there is a request at this position: of the first call that is not done, or of the one after it. One
    /// load.
    ///
    /// # Errors
    ///
    /// [`Violation::Sequence`].
    #[inline]
    pub fn is_there<T: Value + ?Sized>(&self, requests: &Places<T>, pos: u32) -> Result<bool, Violation> {
        // ORDERING(publish): the request was written before its ticket.
        let ticket = requests.word(pos, TICKET).load(publish::LOAD);
        is_reached(ticket, pos.wrapping_add(1), requests.capacity())
    }

    /// Takes the first call that is not done, as the server `me`; it [is there](Self::is_there). Two stores, a
    /// fence and a load.
    ///
    /// # Errors
    ///
    /// [`Violation::State`].
    #[inline]
    pub fn take<Q: Value + ?Sized, A: Value + ?Sized>(
        &mut self,
        requests: &Places<Q>,
        answers: &Places<A>,
        me: u32,
    ) -> Result<Take, Violation> {
        let pos = self.next;
        // ORDERING: Relaxed; ordered by the next store.
        answers.word(pos, TAKEN_BY).store(me, RELAXED);
        // ORDERING(call_taken): K4.
        answers.word(pos, TAKEN).store(pos.wrapping_add(1), call_taken::STORE);
        fence(call_withdraw::SERVER_FENCE); // ORDERING(call_withdraw): K3.
        // ORDERING: Relaxed; ordered by the fence.
        let mode = requests.word(pos, MODE).load(RELAXED);
        if !matches!(mode, ASKED | WITHDRAWN | POSTED) {
            return Err(Violation::State);
        }
        let again = core::mem::replace(&mut self.interrupted, false);
        Ok(Take { pos, withdrawn: mode == WITHDRAWN, posted: mode == POSTED, again })
    }

    /// Whether the client has withdrawn the call that was taken, since then. One load.
    #[inline]
    #[must_use]
    pub fn is_withdrawn<T: Value + ?Sized>(&self, requests: &Places<T>) -> bool {
        // ORDERING: Relaxed; advice to stop early, no data depends on it.
        requests.word(self.next, MODE).load(RELAXED) == WITHDRAWN
    }

    /// Ends the call that was taken, whose answer the caller has written if it is [`Status::Answered`]. Three stores.
    #[inline]
    pub fn finish<T: Value + ?Sized>(&mut self, head: &Word, answers: &Places<T>, status: Status) {
        let pos = self.next;
        self.next = pos.wrapping_add(1);
        // ORDERING: Relaxed; ordered by the next store.
        answers.word(pos, STATUS).store(status.word(), RELAXED);
        // ORDERING(call_done): the answer and all reads of the request are ordered before it.
        answers.word(pos, DONE).store(self.next, call_done::STORE);
        in_order();
        head.store(self.next, RELAXED); // K5. ORDERING: Relaxed; read by a successor, which synchronises with our end.
    }
}
