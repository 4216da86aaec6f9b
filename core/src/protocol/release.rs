//! How both ends account for space: the producer's view of the head, the consumer's lazy head.
//!
//! Positions count up for ever, modulo 2^32; a position's place in the ring is its remainder by the
//! capacity, a power of two.
//!
//! # Invariants
//!
//! - R1. `head <= tail <= head + capacity`, as wrapping differences, in every honest state.
//! - R2. The head in the region never passes what the consumer is done with, and never goes back.
//! - R3. The consumer is done with at most `every` messages, and at most a quarter of the ring, that
//!   the region does not know of; with none, once it found the queue empty.
//! - R4. The fill level never passed `highest`: nothing is reserved beyond `head + highest`, where
//!   `head` is one that the consumer stored.

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

/// The producer's view of the space: its own tail, and how far it may go without another look.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Published up to here.
    pub tail: u32,
    /// Free up to here, by the last look: the head seen then, and `highest` more (R4).
    limit: u32,
    /// The consumer had released up to here when we last looked.
    head: u32,
    /// Ring bytes or slots.
    pub capacity: u32,
    /// What every honest position is a multiple of.
    unit: u32,
    /// An upper bound of the fill level so far.
    highest: u32,
}

impl Space {
    /// How much lies between the last seen head and the tail: an upper bound of the fill level.
    #[inline]
    #[must_use]
    pub fn used(&self) -> u32 {
        self.tail.wrapping_sub(self.head)
    }

    /// An upper bound of the fill level ever reached, too high by a quarter of the ring at most.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest
    }

    /// Whether `need` more, 1 at least, is known to fit.
    #[inline(always)]
    #[must_use]
    pub fn has(&self, need: u32) -> bool {
        need <= self.limit.wrapping_sub(self.tail)
    }

    /// Looks at the consumer's head; answers whether `need` more fits. If so, a quarter of the ring
    /// more may be taken without another look, or what is free.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if the head is a lie.
    pub fn look(&mut self, need: u32, head: &Word) -> Result<bool, Violation> {
        self.refresh(head)?;
        let free = self.capacity - self.used();
        if need > free {
            return Ok(false);
        }
        let quarter = self.capacity / 4;
        self.highest = self.highest.max(self.used() + need.max(quarter).min(free));
        self.limit = self.head.wrapping_add(self.highest);
        Ok(true)
    }

    /// Looks at the consumer's head.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if it has moved backwards, past the tail, or off the unit; nothing fits
    /// any more then.
    pub fn refresh(&mut self, head: &Word) -> Result<(), Violation> {
        // ORDERING(release): the consumer is done with all that lies before its head.
        let seen = head.load(release::LOAD);
        let moved = seen.wrapping_sub(self.head);
        if moved > self.used() || !seen.is_multiple_of(self.unit) {
            self.limit = self.tail;
            return Err(Violation::Index);
        }
        self.head = seen;
        Ok(())
    }

    /// The first look of a new producer, which has no head of its own to compare with. `highest` is
    /// what its predecessors left.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if head and tail cannot belong together.
    pub fn adopt(tail: u32, head: &Word, capacity: u32, unit: u32, highest: u32) -> Result<Self, Violation> {
        // ORDERING(release): as in `refresh`.
        let head = head.load(release::LOAD);
        let mut space = Self { tail, limit: tail, head, capacity, unit, highest };
        if space.used() > capacity || !head.is_multiple_of(unit) || !tail.is_multiple_of(unit) {
            return Err(Violation::Index);
        }
        space.highest = highest.clamp(space.used(), capacity);
        Ok(space)
    }
}

/// The consumer's position, and what the region has been told of it.
#[derive(Clone, Copy, Debug)]
pub struct LazyHead {
    /// Received up to here.
    pub pos: u32,
    /// Done with up to here: `pos`, or what was received last lies between.
    done: u32,
    /// The head in the region.
    stored: u32,
    /// Messages received since, one that is not done with included.
    since: u32,
    /// How many of those there may be: B, and one more if it is not done with.
    most: u32,
    /// Units that may stay unreleased.
    quarter: u32,
    /// All ones if a message is done with only once the next is asked for; 0 if at once.
    keep: u32,
}

impl LazyHead {
    /// Starts where the region's head says that the last consumer stopped. `every` is B, 1 at least,
    /// which means that none stays; `keeps` says whether a message that was received is done with
    /// only once more is asked for.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if that is off the unit.
    pub fn adopt(head: &Word, capacity: u32, unit: u32, every: u32, keeps: bool) -> Result<Self, Violation> {
        // ORDERING: Relaxed, for claiming the role has synchronised with the last consumer.
        let pos = head.load(RELAXED);
        if !pos.is_multiple_of(unit) {
            return Err(Violation::Index);
        }
        let quarter = (capacity / 4).max(unit);
        let keep = if keeps { u32::MAX } else { 0 };
        let most = every.max(1).saturating_add(u32::from(keeps));
        Ok(Self { pos, done: pos, stored: pos, since: 0, most, quarter, keep })
    }

    /// Moves on by one message of `len` units, which was received; answers whether the head must be
    /// stored now.
    #[inline(always)]
    #[must_use]
    pub fn advance(&mut self, len: u32) -> bool {
        self.pos = self.pos.wrapping_add(len);
        self.done = self.pos.wrapping_sub(len & self.keep);
        self.since += 1;
        self.since >= self.most || self.done.wrapping_sub(self.stored) >= self.quarter
    }

    /// Whether what was received last is not done with.
    #[inline]
    #[must_use]
    pub fn holds(&self) -> bool {
        self.pos != self.done
    }

    /// All that was received is done with; answers whether the head must be stored now.
    #[must_use]
    pub fn release(&mut self) -> bool {
        self.done = self.pos;
        self.since + (self.keep & 1) >= self.most || self.done.wrapping_sub(self.stored) >= self.quarter
    }

    /// Done with up to here.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.done
    }

    /// Whether the consumer is done with something that the region does not know of.
    #[inline]
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.done != self.stored
    }

    /// Stores the head.
    #[inline]
    pub fn store(&mut self, head: &Word) {
        head.store(self.done, release::STORE); // ORDERING(release): all reads lie before it.
        self.stored = self.done;
        self.since = u32::from(self.holds());
    }
}
