//! Values of one size in a ring of ordinary memory within one program, its capacity chosen at run time.
//!
//! [`static_queue`](super::static_queue) for a capacity that the compiler does not know: no division, no
//! mask of the capacity, and no slot is lost to one. Each side keeps a run of slots that it may use
//! without a look at the other side, up to the end of the ring at most. So one comparison says that a slot is free,
//! and its index needs no wrapping; what happens once a run is apart from what happens once a value.
//!
//! ```text
//!   slots      0   1   2   3   4   capacity = 5
//!   lap 0      0   1   2   3   4   [5]          positions; stride = 8
//!   lap 1      8   9  10  11  12   [13]         the last of a lap is where a side is before it goes on to the next
//! ```
//!
//! # Invariants
//!
//! - L1. Slots from head to tail hold values, at most as many as there are slots; the producer alone
//!   writes the tail, the consumer alone the head.
//! - L2. A position is a lap, a multiple of `stride`, and an index from 0 to the capacity. `stride` is a power of two
//!   above the capacity, so that positions count modulo 2^32 without losing their index. The index at the end of a lap is
//!   the same place as index 0 of the next.
//! - L3. A side's `index` is at most its `stop`, and that at most the capacity. Slots from `index` to `stop` are the
//!   side's own: free for the producer, holding values for the consumer.
//!
//! # Memory ordering
//!
//! `publish` (tail) and `release` (head).
//!
//! # Used by
//!
//! [`LocalQueue`](crate::LocalQueue).

use core::ops::Range;

use crate::ground::sync::Word;
use crate::ground::sync::order::{publish, release};

/// The greatest capacity.
pub const MOST: usize = 1 << 30;

/// Arithmetic on positions (L2).
#[derive(Clone, Copy, Debug)]
pub struct Laps {
    /// How many slots there are: at most [`MOST`].
    capacity: usize,
    /// How far apart two laps are.
    stride: u32,
}

impl Laps {
    /// Of a ring with so many slots; `None` if they are more than [`MOST`].
    #[must_use]
    pub const fn new(capacity: usize) -> Option<Self> {
        if capacity > MOST {
            return None;
        }
        Some(Self { capacity, stride: (capacity as u32 + 1).next_power_of_two() })
    }

    /// How many slots there are.
    #[must_use]
    pub const fn capacity(self) -> usize {
        self.capacity
    }

    /// The index of a position: at most the capacity.
    #[must_use]
    pub const fn index(self, position: u32) -> usize {
        (position & (self.stride - 1)) as usize
    }

    /// The lap of a position.
    #[must_use]
    pub const fn lap(self, position: u32) -> u32 {
        position & !(self.stride - 1)
    }

    /// How many slots are from `head` to `tail`.
    #[must_use]
    pub const fn between(self, head: u32, tail: u32) -> usize {
        let laps = if self.lap(head) == self.lap(tail) { 0 } else { self.capacity };
        (laps + self.index(tail)) - self.index(head)
    }

    /// The indices of the slots from `head` to `tail`: two runs, of which the second may be empty.
    #[must_use]
    pub const fn runs(self, head: u32, tail: u32) -> [Range<usize>; 2] {
        let (head_index, tail_index) = (self.index(head), self.index(tail));
        if self.lap(head) == self.lap(tail) {
            [head_index..tail_index, 0..0]
        } else {
            [head_index..self.capacity, 0..tail_index]
        }
    }
}

/// The producer's private state.
#[derive(Debug)]
pub struct Producer {
    index: usize,
    stop: usize,
    lap: u32,
    laps: Laps,
}

impl Producer {
    /// Of a ring with this tail.
    #[must_use]
    pub const fn new(laps: Laps, tail: u32) -> Self {
        let index = laps.index(tail);
        Self { index, stop: index, lap: laps.lap(tail), laps }
    }

    /// The index of a free slot, if there is one. One load, if everything free at the last look is used up.
    #[inline(always)]
    pub fn free(&mut self, head: &Word) -> Option<usize> {
        if self.index == self.stop && !self.look_slow(head) { None } else { Some(self.index) }
    }

    /// The indices of free slots side by side: `wanted` at most, fewer at the end of the ring or if there are no more.
    /// One load, if there were fewer at the last look.
    #[inline]
    pub fn run(&mut self, wanted: usize, head: &Word) -> Range<usize> {
        if self.stop - self.index < wanted {
            self.look_slow(head);
        }
        self.index..self.stop.min(self.index.saturating_add(wanted))
    }

    /// Looks at the head: whether there is a free slot. Once a lap at least. One load.
    #[cold]
    fn look_slow(&mut self, head: &Word) -> bool {
        // ORDERING(release): the consumer is done with everything before its head.
        let head = head.load(release::LOAD);
        let (head_index, same_lap) = (self.laps.index(head), self.laps.lap(head) == self.lap);
        let limit = if same_lap { self.laps.capacity } else { head_index };
        if self.index < limit {
            self.stop = limit;
            return true;
        }
        if same_lap && head_index > 0 {
            // The lap is full, and its first slots are free again.
            self.lap = self.lap.wrapping_add(self.laps.stride);
            (self.index, self.stop) = (0, head_index);
            return true;
        }
        false
    }

    /// Goes on to this index, up to which the caller has written values; [`publish`](Self::publish) shows them.
    #[inline(always)]
    pub fn advance(&mut self, index: usize) {
        self.index = index;
    }

    /// Publishes all that was advanced over. One store.
    #[inline(always)]
    pub fn publish(&self, tail: &Word) {
        tail.store(self.position(), publish::STORE); // ORDERING(publish): the values are ordered before it.
    }

    /// How many values there are. One load.
    #[must_use]
    pub fn len(&self, head: &Word) -> usize {
        self.laps.between(head.load(release::LOAD), self.position()) // ORDERING(release): as in `look_slow`.
    }

    /// How many slots there are.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.laps.capacity
    }

    #[inline(always)]
    const fn position(&self) -> u32 {
        self.lap.wrapping_add(self.index as u32)
    }
}

/// The consumer's private state.
#[derive(Debug)]
pub struct Consumer {
    index: usize,
    stop: usize,
    lap: u32,
    laps: Laps,
}

impl Consumer {
    /// Of a ring with this head.
    #[must_use]
    pub const fn new(laps: Laps, head: u32) -> Self {
        let index = laps.index(head);
        Self { index, stop: index, lap: laps.lap(head), laps }
    }

    /// The index of the next value, if there is one. One load, if everything that was there at the last look is
    /// received.
    #[inline(always)]
    pub fn next(&mut self, tail: &Word) -> Option<usize> {
        if self.index == self.stop && !self.look(tail) { None } else { Some(self.index) }
    }

    /// The indices of values side by side: `wanted` at most, fewer at the end of the ring or if there are no more. One
    /// load, if there were fewer at the last look.
    #[inline]
    pub fn run(&mut self, wanted: usize, tail: &Word) -> Range<usize> {
        if self.stop - self.index < wanted {
            self.look(tail);
        }
        self.index..self.stop.min(self.index.saturating_add(wanted))
    }

    /// Looks at the tail: whether there is a value. One load.
    #[inline(always)]
    fn look(&mut self, tail: &Word) -> bool {
        // Local copies, because after an acquiring load the compiler would load the fields again.
        let (index, position, capacity) = (self.index, self.position(), self.laps.capacity);
        // ORDERING(publish): the values were written before the tail.
        let tail = tail.load(publish::LOAD);
        if tail == position {
            return false;
        }
        if index == capacity {
            return self.next_lap_slow(tail);
        }
        // A tail in the next lap is beyond the end of this one.
        self.stop = capacity.min(index + tail.wrapping_sub(position) as usize);
        true
    }

    /// Goes on to the next lap, in which the tail is.
    #[cold]
    fn next_lap_slow(&mut self, tail: u32) -> bool {
        self.lap = self.lap.wrapping_add(self.laps.stride);
        (self.index, self.stop) = (0, self.laps.index(tail));
        self.stop > 0
    }

    /// Goes on to this index, up to which the caller has taken the values; [`release`](Self::release) gives their slots
    /// back.
    #[inline(always)]
    pub fn advance(&mut self, index: usize) {
        self.index = index;
    }

    /// Gives back all that was advanced over. One store.
    #[inline(always)]
    pub fn release(&self, head: &Word) {
        head.store(self.position(), release::STORE); // ORDERING(release): the values were taken before it.
    }

    /// How many values there are. One load.
    #[must_use]
    pub fn len(&self, tail: &Word) -> usize {
        self.laps.between(self.position(), tail.load(publish::LOAD)) // ORDERING(publish): as in `look`.
    }

    /// How many slots there are.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.laps.capacity
    }

    #[inline(always)]
    const fn position(&self) -> u32 {
        self.lap.wrapping_add(self.index as u32)
    }
}
