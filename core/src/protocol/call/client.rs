//! The client's side of calls.

use crate::ground::call::{CALLER, DONE, MODE, STATUS, TAKEN, TAKEN_BY, TICKET};
use crate::ground::ring::Value;
use crate::ground::ring::places::Places;
use crate::ground::sync::order::{RELAXED, call_done, call_taken, call_withdraw, publish};
use crate::ground::sync::{Word, fence, in_order};
use crate::protocol::Violation;

use super::{ASKED, Status, WITHDRAWN, is_reached};

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

    /// The first call that is out and has ended, or shows that the server broke the protocol. One load a call that is out.
    #[must_use]
    pub fn ended<T: Value + ?Sized>(&self, answers: &Places<T>) -> Option<u32> {
        if self.kept == 0 {
            return None;
        }
        let capacity = answers.capacity();
        let mut calls = (1..=capacity).rev().map(|age| self.next.wrapping_sub(age));
        calls.find(|&pos| self.is_out(pos, capacity) && self.status(answers, pos) != Ok(None))
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
