//! Values of one size in a ring within one program: published by index, without checks of a peer.
//!
//! [`compact`](super::compact) without the needs of a region: the program lives and dies as one, so there
//! are no successors, and no word has to be checked. Each side keeps its own index; the producer also
//! keeps the head that it saw last.
//!
//! # Invariants
//!
//! - A1. Slots from head to tail hold values, at most as many as there are slots; the producer alone
//!   writes the tail, the consumer alone the head.
//! - A2. Both start at 0. Each side is taken by one at a time, who goes on where the last one stopped.
//! - A3. A position counts modulo 2^32 where the capacity is a power of two, and modulo twice the capacity
//!   otherwise. Either way a multiple of the capacity above it, so that a full queue differs from an empty one, and
//!   every position has one slot.
//!
//! # Memory ordering
//!
//! `publish` (tail) and `release` (head).
//!
//! # Used by
//!
//! [`StaticQueue`](crate::StaticQueue).

use crate::ground::sync::Word;
use crate::ground::sync::order::{publish, release};

/// Arithmetic on positions of a queue (A3). The capacity is a constant where it is called, and so is the choice.
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    /// How many slots there are: 1 to 2^30.
    pub capacity: u32,
}

impl Ring {
    /// The position after this one.
    #[inline(always)]
    #[must_use]
    pub const fn after(self, position: u32) -> u32 {
        let next = position.wrapping_add(1);
        if !self.capacity.is_power_of_two() && next == 2 * self.capacity { 0 } else { next }
    }

    /// The position a lap ahead, which has the same slot.
    #[inline(always)]
    #[must_use]
    pub const fn a_lap_after(self, position: u32) -> u32 {
        if self.capacity.is_power_of_two() {
            position.wrapping_add(self.capacity)
        } else if position < self.capacity {
            position + self.capacity
        } else {
            position - self.capacity
        }
    }

    /// The slot of a position.
    #[inline(always)]
    #[must_use]
    pub const fn slot(self, position: u32) -> u32 {
        if self.capacity.is_power_of_two() {
            position & (self.capacity - 1)
        } else if position < self.capacity {
            position
        } else {
            position - self.capacity
        }
    }

    /// How many positions are from `head` to `tail`.
    #[inline(always)]
    #[must_use]
    pub const fn between(self, head: u32, tail: u32) -> u32 {
        let count = tail.wrapping_sub(head);
        if !self.capacity.is_power_of_two() && tail < head {
            count.wrapping_add(2 * self.capacity)
        } else {
            count
        }
    }
}

/// The producer's private state.
#[derive(Debug)]
pub struct Producer {
    tail: u32,
    /// The limit up to which it may go without another look at the head.
    limit: u32,
}

impl Producer {
    /// Of a queue with this tail, a lap ahead of whose head is this limit.
    #[must_use]
    pub const fn new(tail: u32, limit: u32) -> Self {
        Self { tail, limit }
    }

    /// The position of a free slot, if there is one. One load, if everything free at the last look is
    /// used up.
    #[inline(always)]
    pub fn free(&mut self, head: &Word, ring: Ring) -> Option<u32> {
        // A local copy, because after an acquiring load the compiler would load the field again.
        let tail = self.tail;
        if tail == self.limit {
            // ORDERING(release): the consumer is done with everything before its head.
            let limit = ring.a_lap_after(head.load(release::LOAD));
            if limit == tail {
                return None;
            }
            self.limit = limit;
        }
        Some(tail)
    }

    /// How many values there are. One load.
    #[inline]
    #[must_use]
    pub fn len(&self, head: &Word, ring: Ring) -> u32 {
        ring.between(head.load(release::LOAD), self.tail) // ORDERING(release): as in `free`.
    }

    /// Where the next value goes.
    #[inline]
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.tail
    }

    /// How many slots are free. One load.
    #[inline]
    #[must_use]
    pub fn room(&mut self, head: &Word, ring: Ring) -> u32 {
        self.limit = ring.a_lap_after(head.load(release::LOAD)); // ORDERING(release): as in `free`.
        ring.between(self.tail, self.limit)
    }

    /// Publishes the slots before `position`, as many as there was room for at most, whose values the caller has written.
    /// One store.
    #[inline]
    pub fn commit_to(&mut self, position: u32, tail: &Word) {
        self.tail = position;
        tail.store(position, publish::STORE); // ORDERING(publish): the values are ordered before it.
    }

    /// Publishes the slot at `position`, the free one, whose value the caller has written. One store.
    #[inline(always)]
    pub fn commit(&mut self, position: u32, tail: &Word, ring: Ring) {
        self.tail = ring.after(position);
        tail.store(self.tail, publish::STORE); // ORDERING(publish): the value is ordered before it.
    }
}

/// The consumer's private state. It does not cache the tail: a consumer that polls an empty queue must
/// load it anyway, and the two words share a line.
#[derive(Debug)]
pub struct Consumer {
    head: u32,
}

impl Consumer {
    /// Of a queue with this head.
    #[must_use]
    pub const fn new(head: u32) -> Self {
        Self { head }
    }

    /// How many values there are. One load.
    #[inline]
    #[must_use]
    pub fn len(&self, tail: &Word, ring: Ring) -> u32 {
        ring.between(self.head, tail.load(publish::LOAD)) // ORDERING(publish): as in `next`.
    }

    /// The position of the next value, if there is one. One load.
    #[inline(always)]
    pub fn next(&self, tail: &Word) -> Option<u32> {
        let head = self.head; // As in `free`.
        // ORDERING(publish): the values were written before the tail.
        if tail.load(publish::LOAD) == head { None } else { Some(head) }
    }

    /// Where the next value is.
    #[inline]
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.head
    }

    /// Gives back the slots before `position`, whose values the caller has taken. One store.
    #[inline]
    pub fn release_to(&mut self, position: u32, head: &Word) {
        self.head = position;
        head.store(position, release::STORE); // ORDERING(release): the values were taken before it.
    }

    /// Gives the slot at `position` back, the next one, whose value the caller has taken. One store.
    #[inline(always)]
    pub fn release(&mut self, position: u32, head: &Word, ring: Ring) {
        self.head = ring.after(position);
        head.store(self.head, release::STORE); // ORDERING(release): the value was taken before it.
    }
}
