//! Calls: requests of one client and the answers of one server, in places that each side alone writes.
//!
//! ```text
//!   place i, the client's:  | request | ticket | caller   | mode | reserved |
//!   place i, the server's:  | answer  | taken  | taken_by | done | status   |
//! ```
//!
//! The call at position p is in place p mod N and has the ticket p + 1. Calls are made, taken and done in the order
//! of their positions. The words of place i, t being the ticket of its newest call:
//!
//! | ticket | taken | done | meaning | next |
//! |---|---|---|---|---|
//! | t - N, or 0 | | | free, if done is the same | ticket = t, by the client |
//! | t | not t | not t | waits | mode = withdrawn, or taken = t |
//! | t | t | not t | the server `taken_by` acts on it, or died | done = t, by it or by its successor |
//! | t | t | t | done, as `status` says | ticket = t + N, once the client has the answer or gave it up |
//!
//! # Invariants
//!
//! - K1. Each word has one writer. The client writes a place only while it is free, but for its mode; the server
//!   writes an answer only between `taken = t` and `done = t`.
//! - K2. Tickets go on over successions of either side, so an answer belongs to the call whose ticket is in `done`,
//!   and to no other. Two calls in one place never have the same ticket within 2^32 calls.
//! - K3. A call is withdrawn by a store of its mode, a fence, and a look at `taken`; taken by a store of `taken`, a
//!   fence, and a look at the mode. So if the client finds the call not taken after it withdrew, every server that
//!   takes it later finds it withdrawn, and does not act (Dekker's argument).
//! - K4. `taken_by` is stored before `taken`. A client that finds its call taken knows by whom, or by whose
//!   successor.
//! - K5. The client's mark is the position of the next call, or one behind it; the server's head is the position of
//!   the first call that is not done, or one behind it. Successors walk from there.
//!
//! # Memory ordering
//!
//! `publish`: the request before its ticket. `call_taken`: K4. `call_withdraw`: K3. `call_done`: the answer, and
//! all reads of the request, before `done`.
//!
//! # If a peer dies
//!
//! A server: what it took and did not do stays taken, and nobody knows whether it ran. Its successor finds that
//! ([`Take::again`]) and decides. What it did not take, the client withdraws for good, or the successor takes.
//! A client: what it published is still served; its successor goes on behind that, and reads no answer of it.
//!
//! # If a peer misbehaves
//!
//! A ticket that belongs neither to this lap nor to the last, or a mode or status that there is not, is a
//! [`Violation`]. A server can lie about what it did; a client can withdraw what has run. Neither can lead the other
//! outside a place, or make it wait without its bound.
//!
//! # Used by
//!
//! [`CallClient`](crate::CallClient) and [`CallServer`](crate::CallServer).

use crate::ground::call::{CALLER, DONE, MODE, STATUS, TAKEN, TAKEN_BY, TICKET};
use crate::ground::ring::Value;
use crate::ground::ring::places::Places;
use crate::ground::sync::order::{RELAXED, call_done, call_taken, call_withdraw, publish};
use crate::ground::sync::{Word, fence, in_order};

use super::Violation;

/// Mode: an answer is wanted.
pub const ASKED: u32 = 0;
/// Mode: the client has withdrawn the call.
pub const WITHDRAWN: u32 = 1;
/// Mode: no answer is wanted.
pub const POSTED: u32 = 2;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The answer is in its place.
    Answered,
    /// The server refused it, with a number of its own.
    Refused(u16),
    /// The server found it withdrawn, and did not act.
    Withdrawn,
    /// A server died with it, and its successor did not run it again.
    Interrupted,
}

impl Status {
    /// The status as its word.
    #[must_use]
    pub const fn word(self) -> u32 {
        match self {
            Self::Answered => 1,
            Self::Refused(code) => (code as u32) << 16 | 2,
            Self::Withdrawn => 3,
            Self::Interrupted => 4,
        }
    }

    /// The status of a word; `None` for one that no honest server writes.
    #[must_use]
    pub const fn from_word(word: u32) -> Option<Self> {
        match (word & 0xFFFF, word >> 16) {
            (1, 0) => Some(Self::Answered),
            (2, code) => Some(Self::Refused(code as u16)),
            (3, 0) => Some(Self::Withdrawn),
            (4, 0) => Some(Self::Interrupted),
            _ => None,
        }
    }
}

/// Whether the word `seen` of a place is the `ticket` that comes next there.
///
/// # Errors
///
/// [`Violation::Sequence`] if it is neither that, nor the ticket of the lap before, nor 0.
#[inline(always)]
fn is_reached(seen: u32, ticket: u32, capacity: u32) -> Result<bool, Violation> {
    if seen == ticket {
        Ok(true)
    } else if seen == ticket.wrapping_sub(capacity) || seen == 0 {
        Ok(false)
    } else {
        Err(Violation::Sequence)
    }
}

/// The place of the next call, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Free.
    Free,
    /// The client has neither taken the answer of the call there nor given it up.
    Kept,
    /// The server has not done the call there.
    Busy,
}

/// What a client learns by withdrawing a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// No server has acted on it, and none ever will.
    Never,
    /// It is taken by this server, or was by one before it: it may have run.
    Taken {
        /// The server's identity.
        by: u32,
    },
    /// It is done.
    Done(Status),
}

/// The client's private state.
#[derive(Debug)]
pub struct Client {
    /// The position of the next call.
    next: u32,
    /// A bit for each place whose call was not finished by this client.
    kept: u32,
}

impl Client {
    /// Takes the role up where the last client left it: a step for each place at most, in honest regions one or two.
    /// Brings the mark up to date.
    ///
    /// # Errors
    ///
    /// [`Violation::Walk`] if more calls seem to be made than there are places.
    pub fn adopt<T: Value + ?Sized>(mark: &Word, requests: &Places<T>) -> Result<Self, Violation> {
        // ORDERING: Relaxed; claiming the role has synchronised with the last client's end.
        let start = mark.load(RELAXED);
        let mut next = start;
        // ORDERING: Relaxed; as above.
        while requests.word(next, TICKET).load(RELAXED) == next.wrapping_add(1) {
            next = next.wrapping_add(1);
            if next.wrapping_sub(start) > requests.capacity() {
                return Err(Violation::Walk);
            }
        }
        // ORDERING: Relaxed; as after a call.
        mark.store(next, RELAXED);
        Ok(Self { next, kept: 0 })
    }

    /// The position of the next call.
    #[inline(always)]
    #[must_use]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// How many calls are out: made, and neither finished nor given up.
    #[must_use]
    pub fn calls_out(&self) -> u32 {
        self.kept.count_ones()
    }

    /// Whether the next call has a place. One load.
    ///
    /// # Errors
    ///
    /// [`Violation::Sequence`].
    #[inline]
    pub fn room<T: Value + ?Sized>(&self, answers: &Places<T>) -> Result<Room, Violation> {
        let capacity = answers.capacity();
        if self.kept & bit(self.next, capacity) != 0 {
            return Ok(Room::Kept);
        }
        // ORDERING(call_done): the server has read the request there before.
        let done = answers.word(self.next, DONE).load(call_done::LOAD);
        if done == 0 && self.next < capacity {
            return Ok(Room::Free);
        }
        let before = self.next.wrapping_add(1).wrapping_sub(capacity);
        Ok(if is_reached(done, before, capacity)? { Room::Free } else { Room::Busy })
    }

    /// Makes the next call, whose place is free and whose request the caller has written there; returns its
    /// position. Four stores.
    #[inline]
    pub fn publish<T: Value + ?Sized>(
        &mut self,
        mark: &Word,
        requests: &Places<T>,
        caller: u32,
        mode: u32,
    ) -> u32 {
        let pos = self.next;
        self.next = pos.wrapping_add(1);
        // ORDERING: Relaxed, both; ordered by the ticket.
        requests.word(pos, CALLER).store(caller, RELAXED);
        requests.word(pos, MODE).store(mode, RELAXED);
        // ORDERING(publish): the request, caller and mode are ordered before it.
        requests.word(pos, TICKET).store(self.next, publish::STORE);
        in_order();
        mark.store(self.next, RELAXED); // K5. ORDERING: Relaxed; read by a successor, which synchronises with our end.
        if mode == ASKED {
            self.kept |= bit(pos, requests.capacity());
        }
        pos
    }

    /// Whether the call at this position is one that this client made, and neither finished nor gave up.
    #[inline]
    #[must_use]
    pub fn is_out(&self, pos: u32, capacity: u32) -> bool {
        let age = self.next.wrapping_sub(pos);
        (1..=capacity).contains(&age) && self.kept & bit(pos, capacity) != 0
    }

    /// How the call at this position ended, or `None` if it has not. One load, two at the end.
    ///
    /// # Errors
    ///
    /// [`Violation::Sequence`] or [`Violation::State`].
    #[inline]
    pub fn status<T: Value + ?Sized>(
        &self,
        answers: &Places<T>,
        pos: u32,
    ) -> Result<Option<Status>, Violation> {
        // ORDERING(call_done): the answer and its status were written before it.
        let done = answers.word(pos, DONE).load(call_done::LOAD);
        if !is_reached(done, pos.wrapping_add(1), answers.capacity())? {
            return Ok(None);
        }
        // ORDERING: Relaxed; after the acquire above.
        let status = answers.word(pos, STATUS).load(RELAXED);
        Status::from_word(status).map(Some).ok_or(Violation::State)
    }

    /// The server that has taken the call at this position, if one has. One load, two if so.
    ///
    /// # Errors
    ///
    /// [`Violation::Sequence`].
    pub fn taken_by<T: Value + ?Sized>(
        &self,
        answers: &Places<T>,
        pos: u32,
    ) -> Result<Option<u32>, Violation> {
        // ORDERING(call_taken): its name was stored before it.
        let taken = answers.word(pos, TAKEN).load(call_taken::LOAD);
        if !is_reached(taken, pos.wrapping_add(1), answers.capacity())? {
            return Ok(None);
        }
        // ORDERING: Relaxed; after the acquire above.
        Ok(Some(answers.word(pos, TAKEN_BY).load(RELAXED)))
    }

    /// Withdraws the call at this position, which is out, and looks what has become of it (K3). One store, a fence,
    /// four loads at most.
    ///
    /// # Errors
    ///
    /// [`Violation::Sequence`] or [`Violation::State`].
    pub fn withdraw<Q: Value + ?Sized, A: Value + ?Sized>(
        &self,
        requests: &Places<Q>,
        answers: &Places<A>,
        pos: u32,
    ) -> Result<Withdrawal, Violation> {
        // ORDERING: Relaxed; the fence orders it before the look.
        requests.word(pos, MODE).store(WITHDRAWN, RELAXED);
        fence(call_withdraw::CLIENT_FENCE); // ORDERING(call_withdraw): K3.
        let Some(by) = self.taken_by(answers, pos)? else { return Ok(Withdrawal::Never) };
        Ok(self.status(answers, pos)?.map_or(Withdrawal::Taken { by }, Withdrawal::Done))
    }

    /// The call at this position is finished, or given up: its place is free as soon as the server has done it.
    #[inline]
    pub fn finish(&mut self, pos: u32, capacity: u32) {
        self.kept &= !bit(pos, capacity);
    }
}

/// The bit of the place at this position.
#[inline(always)]
fn bit(pos: u32, capacity: u32) -> u32 {
    1 << (pos & (capacity - 1) & 31)
}

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
