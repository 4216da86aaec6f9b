//! How both ends account for space: the producer's view of the head, the consumer's lazy head.
//!
//! Positions count up for ever, modulo 2^32; a position's place in the ring is its remainder by the
//! capacity, a power of two.
//!
//! # Invariants
//!
//! - R1. `head <= tail <= head + capacity`, as wrapping differences, in every honest state.
//! - R2. The head in the region never passes the messages that the consumer is done with, and never goes
//!   back.
//! - R3. The consumer is done with at most `release_every` messages, and at most a quarter of the ring, that
//!   the region does not know of; with none, once it found the queue empty.
//! - R4. The fill level never passed `highest`: nothing is reserved beyond `head + highest`, where
//!   `head` is one that the consumer stored.
//!
//! # Used by
//!
//! All queues of a region: [`frames`](super::frames), [`slots`](super::slots), [`compact`](super::compact).

use crate::ground::sync::Word;
use crate::ground::sync::order::{RELAXED, release};

use super::Violation;

/// Messages waiting, for display: `sent - released`, clamped to `0..=limit` because the two counters are
/// not read at the same instant.
#[must_use]
pub fn between(released: u32, sent: u32, limit: u32) -> u32 {
    let waiting = sent.wrapping_sub(released);
    if waiting > u32::MAX / 2 { 0 } else { waiting.min(limit) }
}

/// The producer's view of the space: its own tail, and the limit up to which it may go without another
/// look.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Published up to here.
    tail: u32,
    /// Free up to here, by the last look: the head seen then, and `highest` more (R4).
    limit: u32,
    /// The position up to which the consumer had released at the last look.
    head: u32,
    /// Ring bytes or slots.
    capacity: u32,
    /// The unit of every honest position, a power of two, less one.
    below_unit: u32,
    /// An upper bound of the fill level so far.
    highest: u32,
}

impl Space {
    /// Published up to here.
    #[inline(always)]
    #[must_use]
    pub fn tail(&self) -> u32 {
        self.tail
    }

    /// Ring bytes or slots.
    #[inline(always)]
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Records that messages that [fit](Self::has) were published, up to `tail`.
    #[inline(always)]
    pub fn advance_to(&mut self, tail: u32) {
        self.tail = tail;
    }

    /// The distance from the last seen head to the tail: an upper bound of the fill level.
    #[inline]
    #[must_use]
    pub fn used(&self) -> u32 {
        self.tail.wrapping_sub(self.head)
    }

    /// The consumer's head, as it was seen last.
    #[must_use]
    pub fn head(&self) -> u32 {
        self.head
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
        need <= self.known()
    }

    /// How much more is known to fit.
    #[inline(always)]
    #[must_use]
    pub fn known(&self) -> u32 {
        self.limit.wrapping_sub(self.tail)
    }

    /// Looks at the consumer's head; returns whether `need` more fits. If so, a quarter of the ring may
    /// be taken without another look, or all that is free if that is less.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if the head is impossible.
    #[inline]
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
    #[inline]
    pub fn refresh(&mut self, head: &Word) -> Result<(), Violation> {
        // ORDERING(release): the consumer is done with everything before its head.
        let seen = head.load(release::LOAD);
        let moved = seen.wrapping_sub(self.head);
        if moved > self.used() || seen & self.below_unit != 0 {
            self.limit = self.tail;
            return Err(Violation::Index);
        }
        self.head = seen;
        Ok(())
    }

    /// The first look of a new producer, which has no earlier head to compare with. `unit` is a power of
    /// two, and `highest` is the bound that its predecessors left.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if head and tail cannot belong together.
    pub fn adopt(tail: u32, head: &Word, capacity: u32, unit: u32, highest: u32) -> Result<Self, Violation> {
        // ORDERING(release): as in `refresh`.
        let head = head.load(release::LOAD);
        let below_unit = unit - 1;
        let mut space = Self { tail, limit: tail, head, capacity, below_unit, highest };
        if space.used() > capacity || (head | tail) & below_unit != 0 {
            return Err(Violation::Index);
        }
        space.highest = highest.clamp(space.used(), capacity);
        Ok(space)
    }
}

/// The consumer's position, and the part of it that the region knows.
#[derive(Clone, Copy, Debug)]
pub struct LazyHead {
    /// Received up to here.
    pos: u32,
    /// Done with everything up to here at least, because the user released it.
    released: u32,
    /// The head in the region.
    stored: u32,
    /// Units of the message received last, if it stays in use until the next call.
    held: u32,
    /// How far `stored` may lag behind `pos` before it must be published (plus `held`), if all messages
    /// have one size.
    max_lag: u32,
}

impl LazyHead {
    /// Starts at the region's head, where the last consumer stopped. `lag` is how many released units
    /// the region need not know of; with `hold_last`, a received message stays in use until the next call.
    pub fn adopt(head: &Word, unit: u32, lag: u32, hold_last: bool) -> Self {
        // ORDERING: Relaxed; claiming the role has synchronised with the last consumer.
        let pos = head.load(RELAXED);
        let held = if hold_last { unit } else { 0 };
        Self { pos, released: pos, stored: pos, held, max_lag: lag + held }
    }

    /// Goes to `pos`, which is the head in the region.
    pub fn start_at(&mut self, pos: u32) {
        (self.pos, self.released, self.stored) = (pos, pos, pos);
    }

    /// Received up to here.
    #[inline(always)]
    #[must_use]
    pub fn pos(&self) -> u32 {
        self.pos
    }

    /// Moves on by `count` messages of one unit, which were received; returns whether the head must be
    /// stored now.
    #[inline(always)]
    #[must_use]
    pub fn advance(&mut self, count: u32) -> bool {
        self.pos = self.pos.wrapping_add(count);
        self.is_due()
    }

    /// Whether the head must be stored now.
    #[inline(always)]
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.unpublished() == 0
    }

    /// How many units more may be received before the head must be stored, the one kept included.
    #[inline(always)]
    #[must_use]
    pub fn unpublished(&self) -> u32 {
        self.max_lag.saturating_sub(self.pos.wrapping_sub(self.stored))
    }

    /// How many units more may be received and released, one after the other and none kept, before the
    /// head must be stored (R3).
    #[inline(always)]
    #[must_use]
    pub fn untold_releases(&self) -> u32 {
        (self.max_lag - self.held).saturating_sub(self.pos.wrapping_sub(self.stored))
    }

    /// Moves on by one message of `len` units, which was received, of which `held` (all or none) stay in
    /// use until the next call; returns whether the head must be stored now.
    #[inline(always)]
    #[must_use]
    pub fn advance_by(&mut self, len: u32, held: u32) -> bool {
        self.pos = self.pos.wrapping_add(len);
        self.max_lag = self.max_lag - self.held + held;
        self.held = held;
        self.pos.wrapping_sub(self.stored) >= self.max_lag
    }

    /// Everything received is done with; returns whether the head must be stored now.
    #[inline]
    #[must_use]
    pub fn release(&mut self) -> bool {
        self.released = self.pos;
        self.pos.wrapping_sub(self.stored) >= self.max_lag - self.held
    }

    /// Done with up to here.
    #[inline]
    #[must_use]
    pub fn done(&self) -> u32 {
        if self.holds() { self.pos.wrapping_sub(self.held) } else { self.pos }
    }

    /// Whether the message received last is still in use.
    #[inline]
    #[must_use]
    pub fn holds(&self) -> bool {
        self.released != self.pos && self.held != 0
    }

    /// Whether the region knows of everything received.
    #[inline(always)]
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.pos == self.stored
    }

    /// Whether the consumer is done with something that the region does not know of.
    #[inline]
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.done() != self.stored
    }

    /// Whether the head in the region is the one that was stored last. One load.
    #[inline(always)]
    #[must_use]
    pub fn is_stored(&self, head: &Word) -> bool {
        head.load(RELAXED) == self.stored // ORDERING: Relaxed; our own word.
    }

    /// Stores the head.
    #[inline]
    pub fn store(&mut self, head: &Word) {
        self.stored = self.done();
        // So `released` never lags so far behind that the wrapping `pos` could equal it again.
        self.released = self.stored;
        head.store(self.stored, release::STORE); // ORDERING(release): all reads are ordered before it.
    }
}

/// How many messages of one unit a consumer may leave unpublished: B, or a quarter of the ring if that is
/// less.
#[must_use]
pub fn lag_limit(capacity: u32, release_every: u32) -> u32 {
    release_every.min(capacity / 4).max(1)
}
