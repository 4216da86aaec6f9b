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
//! # If a peer dies, if a peer lies
//!
//! What was stored before the tail was, exists; nothing else does. An index out of range is a
//! [`Violation`].

use crate::ground::sync::Word;
use crate::ground::sync::order::{RELAXED, publish};

use super::release::{LazyHead, Space};
use super::{Nothing, Refused, Violation};

/// The producer's private state.
#[derive(Debug)]
pub struct Producer {
    space: Space,
}

impl Producer {
    /// Takes the role up where the last producer left it. Two loads.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if tail and head cannot belong together.
    pub fn adopt(tail: &Word, head: &Word, capacity: u32) -> Result<Self, Violation> {
        // ORDERING: Relaxed; claiming the role has synchronised with the last producer's end.
        Ok(Self { space: Space::adopt(tail.load(RELAXED), head, capacity, 1)? })
    }

    /// The index of the next slot, if it is free.
    ///
    /// # Errors
    ///
    /// [`Refused`], never [`Refused::TooLarge`].
    #[inline]
    pub fn reserve(&mut self, head: &Word) -> Result<u32, Refused> {
        match self.space.has(1, head) {
            Ok(true) => Ok(self.space.tail & (self.space.capacity - 1)),
            Ok(false) => Err(Refused::Full),
            Err(violation) => Err(Refused::Violation(violation)),
        }
    }

    /// Publishes the slot that [`reserve`](Self::reserve) answered with. One store.
    #[inline]
    pub fn commit(&mut self, tail: &Word) {
        self.space.tail = self.space.tail.wrapping_add(1);
        tail.store(self.space.tail, publish::STORE); // ORDERING(publish): the value lies before it.
    }

    /// The space accounts.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }
}

/// The consumer's private state.
#[derive(Debug)]
pub struct Consumer {
    head: LazyHead,
    tail: u32,
    capacity: u32,
}

impl Consumer {
    /// Takes the role up where the last consumer left it.
    ///
    /// # Errors
    ///
    /// None today; a [`Violation`] like its siblings, for the one interface.
    pub fn adopt(head: &Word, capacity: u32, every: u32) -> Result<Self, Violation> {
        let head = LazyHead::adopt(head, capacity, 1, every)?;
        Ok(Self { tail: head.pos, head, capacity })
    }

    /// The index and the position of the value `ahead` places after the next one to be released.
    /// Looks at the producer's word only when all that was seen of it is used up.
    ///
    /// # Errors
    ///
    /// [`Nothing`].
    #[inline]
    pub fn peek_at(&mut self, tail: &Word, ahead: u32) -> Result<(u32, u32), Nothing> {
        if ahead >= self.tail.wrapping_sub(self.head.pos) {
            // ORDERING(publish): the values were written before the tail.
            let seen = tail.load(publish::LOAD);
            let known = self.tail.wrapping_sub(self.head.pos);
            let ready = seen.wrapping_sub(self.head.pos);
            if ready > self.capacity || ready < known {
                return Err(Nothing::Violation(Violation::Index));
            }
            self.tail = seen;
            if ahead >= ready {
                return Err(Nothing::Empty);
            }
        }
        let pos = self.head.pos.wrapping_add(ahead);
        Ok((pos & (self.capacity - 1), pos))
    }

    /// Whether a value (or a lie) comes `ahead` places after the next one to be released.
    #[must_use]
    pub fn has_more(&self, tail: &Word, ahead: u32) -> bool {
        // ORDERING(publish): as in `peek_at`.
        tail.load(publish::LOAD).wrapping_sub(self.head.pos) > ahead
    }

    /// The position accounts.
    #[must_use]
    pub fn head(&mut self) -> &mut LazyHead {
        &mut self.head
    }

    /// The position accounts, to look at.
    #[must_use]
    pub fn head_ref(&self) -> &LazyHead {
        &self.head
    }
}
