//! Values of one size in a ring of slots, published in the slot.
//!
//! ```text
//!   slot i:  | value .......... | sequence |     sequence = position + 1 once published,
//!                                                older by a capacity (or 0) before
//! ```
//!
//! # Invariants
//!
//! - S1. The sequence of the slot at position p is p + 1 if and only if p is published and not yet
//!   overwritten a lap later. The producer alone writes it.
//! - S2. A batch publishes its lowest slot first. So the published slots are always the ones below
//!   one position, and a walk over sequences ends there.
//! - S3. `mark` is the tail, or one publication behind it, or one batch.
//! - S4. The ring was made with sequences (`Slots::with_sequences`): the endpoints make no other for a channel of
//!   this kind, and nobody outside this crate can make one.
//!
//! # Memory ordering
//!
//! `publish`: the sequence's store is the only one that publishes; the value is stored before it.
//!
//! # If a peer dies or misbehaves
//!
//! As in [`frames`](super::frames): unpublished values do not exist, a successor walks from `mark`; a
//! sequence that belongs to neither this lap nor the last is a [`Violation`].
//!
//! # Used by
//!
//! [`TypedProducer`](crate::TypedProducer) and [`TypedConsumer`](crate::TypedConsumer), on a channel of
//! [`Channel::slots`](crate::Channel::slots).

use crate::ground::ring::Value;
use crate::ground::ring::slots::Slots;
use crate::ground::sync::order::{RELAXED, publish};
use crate::ground::sync::{Word, WordRef, in_order};

use super::release::{LazyHead, Space, lag_limit};
use super::{Nothing, Violation};

/// Publishes the slot at `pos`, which comes next and is free (the space accounts say so) and whose value
/// the caller has written; returns the position after it. One store.
#[inline(always)]
pub fn publish<T: Value + ?Sized>(ring: &Slots<T>, pos: u32) -> u32 {
    // The next sequence is computed, not loaded: S1.
    let next = pos.wrapping_add(1);
    // SAFETY: S4.
    let sequence = unsafe { ring.sequence(pos) };
    sequence.store(next, publish::STORE); // ORDERING(publish): the value is ordered before it.
    next
}

/// Whether there is a value at `pos`, the consumer's position. One load.
#[inline(always)]
#[must_use]
pub fn is_there<T: Value + ?Sized>(ring: &Slots<T>, pos: u32) -> bool {
    sequence(ring, pos) == pos.wrapping_add(1)
}

/// What the sequence of the slot at `pos` says. One load.
#[inline(always)]
pub(super) fn sequence<T: Value + ?Sized>(ring: &Slots<T>, pos: u32) -> u32 {
    // SAFETY: S4.
    let sequence = unsafe { ring.sequence(pos) };
    sequence.load(publish::LOAD) // ORDERING(publish): the value was written before its sequence.
}

/// The producer's private state.
pub struct Producer {
    /// The space accounts.
    pub space: Space,
    /// The mark in the region, our own word.
    mark: WordRef,
}

impl Producer {
    /// Takes the role up where the last producer left it: one step a slot at most, in honest
    /// regions one or two in all. Brings `mark` up to date.
    ///
    /// # Errors
    ///
    /// [`Violation`] if the words in the region contradict each other.
    pub fn adopt<T: Value + ?Sized>(
        ring: &Slots<T>,
        mark: WordRef,
        head: &Word,
        highest: u32,
    ) -> Result<Self, Violation> {
        let capacity = ring.capacity();
        // ORDERING: Relaxed; claiming the role has synchronised with the last producer's end.
        let mut tail = mark.load(RELAXED);
        let start = tail;
        while is_there(ring, tail) {
            tail = tail.wrapping_add(1);
            if tail.wrapping_sub(start) > capacity {
                return Err(Violation::Walk);
            }
        }
        let space = Space::adopt(tail, head, capacity, 1, highest)?;
        // ORDERING: Relaxed; as after a publication.
        mark.store(tail, RELAXED);
        Ok(Self { space, mark })
    }

    /// Records that the slots from the tail up to `tail` were [`publish()`]ed. One store.
    #[inline(always)]
    pub fn commit(&mut self, tail: u32) {
        self.space.advance_to(tail);
        in_order();
        // S3. ORDERING: Relaxed; read by a successor alone, which synchronises with our end. The next
        // publication's store comes after it.
        self.mark.store(tail, RELAXED);
    }
}

/// The consumer's private state.
#[derive(Debug)]
pub struct Consumer {
    /// The position accounts.
    pub head: LazyHead,
    capacity: u32,
}

impl Consumer {
    /// Takes the role up where the last consumer left it.
    #[must_use]
    pub fn adopt(head: &Word, capacity: u32, release_every: u32, hold_last: bool) -> Self {
        Self { head: LazyHead::adopt(head, 1, lag_limit(capacity, release_every), hold_last), capacity }
    }

    /// The next position, if there is a value. One load.
    ///
    /// # Errors
    ///
    /// [`Nothing`].
    #[inline(always)]
    pub fn look<T: Value + ?Sized>(&self, ring: &Slots<T>) -> Result<u32, Nothing> {
        let pos = self.head.pos();
        let expected = pos.wrapping_add(1);
        let seen = sequence(ring, pos);
        if seen == expected {
            return Ok(pos);
        }
        // Last lap's, or never used (S1).
        if seen == expected.wrapping_sub(self.capacity) || seen == 0 {
            return Err(Nothing::Empty);
        }
        Err(Nothing::Violation(Violation::Sequence))
    }
}
