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
//! - A2. Both start at 0, and each side is taken once.
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

/// The producer's private state.
#[derive(Debug)]
pub struct Producer {
    tail: u32,
    /// The limit up to which it may go without another look at the head.
    limit: u32,
}

impl Producer {
    /// Of a new queue.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Self { tail: 0, limit: capacity }
    }

    /// The position of a free slot, if there is one. One load, if everything free at the last look is
    /// used up.
    #[inline(always)]
    pub fn free(&mut self, head: &Word, capacity: u32) -> Option<u32> {
        // A local copy, because after an acquiring load the compiler would load the field again.
        let tail = self.tail;
        if tail == self.limit {
            // ORDERING(release): the consumer is done with everything before its head.
            let limit = head.load(release::LOAD).wrapping_add(capacity);
            if limit == tail {
                return None;
            }
            self.limit = limit;
        }
        Some(tail)
    }

    /// Publishes the slot at `position`, the free one, whose value the caller has written. One store.
    #[inline(always)]
    pub fn commit(&mut self, position: u32, tail: &Word) {
        self.tail = position.wrapping_add(1);
        tail.store(self.tail, publish::STORE); // ORDERING(publish): the value is ordered before it.
    }
}

/// The consumer's private state. It does not cache the tail: a consumer that polls an empty queue must
/// load it anyway, and the two words share a line.
#[derive(Debug, Default)]
pub struct Consumer {
    head: u32,
}

impl Consumer {
    /// The position of the next value, if there is one. One load.
    #[inline(always)]
    pub fn next(&self, tail: &Word) -> Option<u32> {
        let head = self.head; // As in `free`.
        // ORDERING(publish): the values were written before the tail.
        if tail.load(publish::LOAD) == head { None } else { Some(head) }
    }

    /// Gives the slot at `position` back, the next one, whose value the caller has taken. One store.
    #[inline(always)]
    pub fn release(&mut self, position: u32, head: &Word) {
        self.head = position.wrapping_add(1);
        head.store(self.head, release::STORE); // ORDERING(release): the value was taken before it.
    }
}
