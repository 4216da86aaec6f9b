//! The latest of a stream of values: one writer that never waits, readers that only load.
//!
//! ```text
//!   newest: count          buffer 0: | count | lap | value |
//!                          buffer 1: | count | lap | value |     ... K buffers, a power of two
//! ```
//!
//! A version is `lap` and `count`; the count goes up by two a version, and version v is in buffer `(count
//! / 2) mod K`.
//!
//! | buffer's count | meaning | next |
//! |---|---|---|
//! | odd | being written, or its writer died | the even count, when complete |
//! | even | complete | odd, when the writer comes round again |
//!
//! # Invariants
//!
//! - L1. The buffer that `newest` names is complete, and is not touched before another is newest.
//! - L2. A buffer's count is odd from before the first store into it until after the last.
//! - L3. A reader accepts a value only if lap and count were the same, and even, before and after.
//!   Two versions with one count differ in their lap, and lap and count are read in an order in
//!   which no mixture of two versions passes: lap, count, value, count, lap.
//!
//! # Memory ordering
//!
//! `latest_newest`: the buffer is complete before it is named. `latest_count`: the value before its
//! count, and (`AGAIN`) the lap before a later count. `latest_lap`: the invalidation before the lap.
//! `latest_data`: the invalidation before the value's stores; the value's loads before the second
//! look.
//!
//! # If a peer dies or misbehaves
//!
//! A writer that dies leaves `newest` where it was, so the previous value stays readable (L1). A
//! count that stays odd, or never matches, is Contended after the reader's tries.
//!
//! # Source
//!
//! A sequence lock (Linux; Boehm 2012 for its orderings) over several buffers, so that the newest
//! complete value is never the one being written.
//!
//! # Used by
//!
//! [`LatestWriter`](crate::LatestWriter) and [`LatestReader`](crate::LatestReader); and
//! [`broadcast`](super::broadcast), whose writer takes the same steps.

use core::ops::Deref;

use crate::ground::sync::order::{RELAXED, latest_count, latest_data, latest_lap, latest_newest};
use crate::ground::sync::{Word, fence};

/// Access to the words that are in the buffers.
pub trait Buffers {
    /// The count of buffer `index`.
    fn count(&self, index: u32) -> impl Deref<Target = Word>;
    /// The lap of buffer `index`.
    fn lap(&self, index: u32) -> impl Deref<Target = Word>;
}

/// A version of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Wraps of the count.
    pub lap: u32,
    /// Even; two a version.
    pub count: u32,
}

impl Version {
    /// The number of the version, from 1: the number of values published up to this one.
    #[must_use]
    pub fn number(self) -> u64 {
        u64::from(self.lap) << 31 | u64::from(self.count >> 1)
    }
}

/// The writer's private state.
#[derive(Debug)]
pub struct Writer {
    newest: Version,
    mask: u32,
}

impl Writer {
    /// Takes the role up where the last writer left it. Two loads.
    #[must_use]
    pub fn adopt(newest: &Word, buffers: &impl Buffers, capacity: u32) -> Self {
        let mask = capacity - 1;
        // ORDERING: Relaxed; claiming the role has synchronised with the last writer's end.
        let count = newest.load(RELAXED) & !1;
        let lap = buffers.lap(count >> 1 & mask).load(RELAXED);
        Self { newest: Version { lap, count }, mask }
    }

    /// The version that comes next.
    #[inline(always)]
    pub(super) fn next(&self) -> Version {
        let count = self.newest.count.wrapping_add(2);
        let lap = if count == 0 { self.newest.lap.wrapping_add(1) } else { self.newest.lap };
        Version { lap, count }
    }

    /// Counts the next version as published: the last writer completed it, and did not come to name it.
    pub(super) fn advance(&mut self) -> Version {
        self.newest = self.next();
        self.newest
    }

    /// Opens the buffer for the next version and returns its index; the caller then writes the
    /// value into it. Two stores and a fence.
    #[inline(always)]
    pub fn begin(&mut self, buffers: &impl Buffers) -> u32 {
        let next = self.next();
        let index = next.count >> 1 & self.mask;
        // L2. ORDERING: Relaxed; the fence orders it before the stores that follow.
        buffers.count(index).store(next.count | 1, RELAXED);
        fence(latest_data::FENCE); // ORDERING(latest_data)
        // ORDERING: Relaxed; after the fence.
        buffers.lap(index).store(next.lap, RELAXED);
        index
    }

    /// Publishes the version that was begun. Two stores.
    #[inline(always)]
    pub fn publish(&mut self, newest: &Word, buffers: &impl Buffers) -> Version {
        let next = self.next();
        let index = next.count >> 1 & self.mask;
        // ORDERING(latest_count): the value is ordered before it.
        buffers.count(index).store(next.count, latest_count::STORE);
        // ORDERING(latest_newest): the buffer is complete.
        newest.store(next.count, latest_newest::STORE);
        self.newest = next;
        next
    }

    /// The newest version published.
    #[must_use]
    pub fn newest(&self) -> Version {
        self.newest
    }
}

/// Whether `seen` is still the newest version. Two loads.
#[inline]
#[must_use]
pub fn is_newest(newest: &Word, buffers: &impl Buffers, capacity: u32, seen: Version) -> bool {
    // ORDERING: Relaxed, both; whoever finds another version reads it by `attempt`. A sleeper's fence
    // (park, P1) precedes its second look.
    let named = newest.load(RELAXED);
    named == seen.count && buffers.lap(named >> 1 & (capacity - 1)).load(RELAXED) == seen.lap
}

/// The outcome of one attempt to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing has ever been published.
    Empty,
    /// The copy is whole, and of this version.
    Complete(Version),
    /// The writer was faster; try again.
    Again,
}

/// Tries once to read the newest value, by `copy` from the buffer of the index it is given. The copy is
/// valid only if the result is [`Attempt::Complete`]. Five loads, two fences' worth of order, and the
/// copy; no stores.
#[inline(always)]
pub fn attempt(newest: &Word, buffers: &impl Buffers, capacity: u32, copy: impl FnOnce(u32)) -> Attempt {
    // ORDERING(latest_newest): the buffer it names was complete.
    let named = newest.load(latest_newest::LOAD);
    let index = named >> 1 & (capacity - 1);
    // ORDERING(latest_lap): L3; a later version's lap comes with its odd count.
    let (lap_word, count_word) = (buffers.lap(index), buffers.count(index));
    let lap = lap_word.load(latest_lap::LOAD);
    // ORDERING(latest_count): the value was written before its count.
    let count = count_word.load(latest_count::LOAD);
    if count != named || count & 1 == 1 {
        return Attempt::Again;
    }
    if count == 0 && lap == 0 {
        return Attempt::Empty;
    }
    copy(index);
    fence(latest_data::READER_FENCE); // ORDERING(latest_data): the copy's loads are ordered before it.
    // ORDERING(latest_count): L3; a later version's count comes with its lap.
    let count_again = count_word.load(latest_count::AGAIN);
    // ORDERING: Relaxed; after the Acquire load above.
    let lap_again = lap_word.load(RELAXED);
    if count_again != count || lap_again != lap {
        return Attempt::Again;
    }
    Attempt::Complete(Version { lap, count })
}
