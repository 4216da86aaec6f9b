//! How both ends account for space: the producer's view of the head, the consumer's lazy head.
//!
//! Positions count up for ever, modulo 2^32; a position's place in the ring is its remainder by the
//! capacity, a power of two.
//!
//! # Invariants
//!
//! - R1. `head <= tail <= head + capacity`, as wrapping differences, in every honest state.
//! - R2. The head in the region never passes the consumer's own position, and never goes back.
//! - R3. At most `every` messages, and at most a quarter of the ring, are read and not yet released
//!   in the region; none, once the consumer found the queue empty.

use crate::ground::sync::Word;
use crate::ground::sync::order::{RELAXED, release};

use super::Violation;

/// What lies between two counters that were read at different moments, for display: none where the
/// later one was read too early, and never more than there can be.
#[must_use]
pub fn between(released: u32, sent: u32, most: u32) -> u32 {
    let waiting = sent.wrapping_sub(released);
    if waiting > u32::MAX / 2 { 0 } else { waiting.min(most) }
}

/// The producer's view of the space: its own tail, and the last head it saw.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Published up to here.
    pub tail: u32,
    /// The consumer had released up to here when we last looked.
    pub head: u32,
    /// Ring bytes or slots.
    pub capacity: u32,
    /// What every honest position is a multiple of.
    pub unit: u32,
}

impl Space {
    /// How much lies between the last seen head and the tail: an upper bound of the fill level.
    #[inline]
    #[must_use]
    pub fn used(&self) -> u32 {
        self.tail.wrapping_sub(self.head)
    }

    /// Whether `need` more fits; looks at the consumer's word only if the last look does not
    /// suffice.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if the head is a lie.
    #[inline]
    pub fn has(&mut self, need: u32, head: &Word) -> Result<bool, Violation> {
        if need <= self.capacity - self.used() {
            return Ok(true);
        }
        self.refresh(head)?;
        Ok(need <= self.capacity - self.used())
    }

    /// Looks at the consumer's head.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if it has moved backwards, past the tail, or off the unit.
    #[cold]
    pub fn refresh(&mut self, head: &Word) -> Result<(), Violation> {
        // ORDERING(release): the consumer is done with all that lies before its head.
        let seen = head.load(release::LOAD);
        let moved = seen.wrapping_sub(self.head);
        if moved > self.used() || !seen.is_multiple_of(self.unit) {
            return Err(Violation::Index);
        }
        self.head = seen;
        Ok(())
    }

    /// The first look of a new producer, which has no head of its own to compare with.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if head and tail cannot belong together.
    pub fn adopt(tail: u32, head: &Word, capacity: u32, unit: u32) -> Result<Self, Violation> {
        // ORDERING(release): as in `refresh`.
        let head = head.load(release::LOAD);
        let space = Self { tail, head, capacity, unit };
        if space.used() > capacity || !head.is_multiple_of(unit) || !tail.is_multiple_of(unit) {
            return Err(Violation::Index);
        }
        Ok(space)
    }
}

/// The consumer's position, and what the region has been told of it.
#[derive(Clone, Copy, Debug)]
pub struct LazyHead {
    /// Read up to here.
    pub pos: u32,
    /// The head in the region.
    stored: u32,
    /// Messages read since.
    since: u32,
    /// Messages that may stay unreleased (B); at least 1, which means: none stays.
    every: u32,
    /// Units that may stay unreleased.
    quarter: u32,
}

impl LazyHead {
    /// Starts where the region's head says that the last consumer stopped.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if that is off the unit.
    pub fn adopt(head: &Word, capacity: u32, unit: u32, every: u32) -> Result<Self, Violation> {
        // ORDERING: Relaxed, for claiming the role has synchronised with the last consumer.
        let pos = head.load(RELAXED);
        if !pos.is_multiple_of(unit) {
            return Err(Violation::Index);
        }
        let quarter = (capacity / 4).max(unit);
        Ok(Self { pos, stored: pos, since: 0, every: every.max(1), quarter })
    }

    /// Moves on by one message of `len` units; answers whether the head must be stored now.
    #[inline]
    #[must_use]
    pub fn advance(&mut self, len: u32) -> bool {
        self.pos = self.pos.wrapping_add(len);
        self.since += 1;
        self.since >= self.every || self.pos.wrapping_sub(self.stored) >= self.quarter
    }

    /// Whether something has been read that the region does not know to be released.
    #[inline]
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.pos != self.stored
    }

    /// Messages read but not released in the region: what a successor would see again.
    #[must_use]
    pub fn unreleased(&self) -> u32 {
        self.since
    }

    /// Stores the head.
    #[inline]
    pub fn store(&mut self, head: &Word) {
        head.store(self.pos, release::STORE); // ORDERING(release): all reads lie before it.
        self.stored = self.pos;
        self.since = 0;
    }
}
