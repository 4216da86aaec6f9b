//! Values of one size in a ring, published by index: no word per slot.
//!
//! The classic ring of two indices, each written by one side (Lamport 1983), with the peer's index
//! cached (Lee et al. 2009, MCRingBuffer; FastForward's remedy without its slots).
//!
//! # Invariants
//!
//! - I1. Slots from head to tail hold values; the producer alone writes the tail, the consumer
//!   alone the head.
//! - I2. The tail in the region is exact: a successor starts there.
//!
//! # Memory ordering
//!
//! `publish` (tail) and `release` (head).
//!
//! # If a peer dies or misbehaves
//!
//! Values stored before the tail exist; nothing else does. An index out of range is a [`Violation`].
//!
//! # Used by
//!
//! [`TypedProducer`](crate::TypedProducer) and [`TypedConsumer`](crate::TypedConsumer), on a channel of
//! [`Channel::compact`](crate::Channel::compact).

use crate::ground::sync::order::{RELAXED, publish};
use crate::ground::sync::{Word, WordRef};

use super::release::{LazyHead, Space, lag_limit};
use super::{Nothing, Violation};

/// The producer's private state.
pub struct Producer {
    /// The space accounts.
    pub space: Space,
    /// The tail in the region, our own word.
    word: WordRef,
}

impl Producer {
    /// Takes the role up where the last producer left it. Two loads.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if tail and head cannot belong together.
    pub fn adopt(tail: WordRef, head: &Word, capacity: u32, highest: u32) -> Result<Self, Violation> {
        // ORDERING: Relaxed; claiming the role has synchronised with the last producer's end.
        let space = Space::adopt(tail.load(RELAXED), head, capacity, 1, highest)?;
        Ok(Self { space, word: tail })
    }

    /// Publishes the slots up to `tail`, which are free (the space accounts say so) and whose values the
    /// caller has written. One store.
    #[inline(always)]
    pub fn commit(&mut self, tail: u32) {
        self.space.advance_to(tail);
        self.word.store(tail, publish::STORE); // ORDERING(publish): the values are ordered before it.
    }
}

/// The consumer's private state.
#[derive(Debug)]
pub struct Consumer {
    /// The position accounts.
    pub head: LazyHead,
    tail: u32,
    capacity: u32,
}

impl Consumer {
    /// Takes the role up where the last consumer left it.
    #[must_use]
    pub fn adopt(head: &Word, capacity: u32, release_every: u32, hold_last: bool) -> Self {
        let head = LazyHead::adopt(head, 1, lag_limit(capacity, release_every), hold_last);
        Self { tail: head.pos(), head, capacity }
    }

    /// Goes to `pos`, which is the head in the region.
    pub fn start_at(&mut self, pos: u32) {
        self.head.start_at(pos);
        self.tail = pos;
    }

    /// The next position, if there is a value. Looks at the producer's word only after receiving
    /// everything up to its last seen value.
    ///
    /// # Errors
    ///
    /// [`Nothing`].
    #[inline(always)]
    pub fn look(&mut self, tail: &Word) -> Result<u32, Nothing> {
        let pos = self.head.pos();
        if self.tail == pos {
            self.refresh(tail)?;
        }
        Ok(pos)
    }

    /// Whether there is known to be a value at `pos`, which is the next position or behind it.
    #[inline(always)]
    #[must_use]
    pub fn is_known(&self, pos: u32) -> bool {
        pos != self.tail
    }

    #[inline(always)]
    fn refresh(&mut self, tail: &Word) -> Result<(), Nothing> {
        // ORDERING(publish): the values were written before the tail.
        let seen = tail.load(publish::LOAD);
        if seen == self.tail {
            return Err(Nothing::Empty);
        }
        let ready = seen.wrapping_sub(self.tail);
        // The value received last may not be overwritten before the consumer is done with it.
        if ready > self.capacity - u32::from(self.head.holds()) {
            return Err(Nothing::Violation(Violation::Index));
        }
        self.tail = seen;
        Ok(())
    }

    /// Whether there is a value (or a violation) at the next position. One load at most.
    #[must_use]
    pub fn has_more(&self, tail: &Word) -> bool {
        // ORDERING(publish): as in `look`.
        self.tail != self.head.pos() || tail.load(publish::LOAD) != self.tail
    }
}
