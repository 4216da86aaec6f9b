//! One writer that never waits, and readers that each get every value, or the number of those they lost.
//!
//! ```text
//!   newest: count          slot 0: | count | lap | value |
//!                          slot 1: | count | lap | value |     ... K slots, a power of two
//! ```
//!
//! The words, and the writer's steps, are those of the [latest value](super::latest): version v is in slot v
//! mod K. What differs is the reader, which keeps a place of its own, the version that it takes next.
//!
//! | the slot of a reader's place holds | meaning for the reader |
//! |---|---|
//! | the version K before, or nothing yet | nothing there: empty |
//! | its own version, being written (an odd count) | empty; its writer is at it, or died in it |
//! | its own version, complete | copied, if it is still that at the second look |
//! | a later version | overtaken: the reader goes on from a place behind the newest |
//!
//! # Invariants
//!
//! - B1. A version is published by the even count in its slot, and only then named by `newest`. So at most one
//!   published version is not named yet. A successor counts it as published: no number is given to two
//!   values that somebody may have received.
//! - B2. A slot's count is odd from before the first store into it until after the last (L2 of the latest
//!   value), and a reader accepts a value only if lap and count were those of its place before and after (L3).
//!   Nothing of what it copied in between is used otherwise.
//! - B3. Places only go forward, by one for each value received and by `lost` for each report of a loss. So
//!   the values received and those reported lost add up to the values published.
//! - B4. A reader that was overtaken goes on at most three quarters of the ring behind the newest version. So
//!   the writer takes a quarter of the ring before it overtakes the reader again.
//!
//! # Memory ordering
//!
//! `latest_count`, `latest_lap`, `latest_data` and `latest_newest`, as in the latest value.
//!
//! A reader that is overtaken by version s knows from its look at the slot, if it finds an odd count, that
//! s - 2 was named: the fence before the value of s - 1 comes after. So an honest `newest` is never further
//! behind than that, and one that leads to a place before the reader's is a violation.
//!
//! # If a peer dies or misbehaves
//!
//! A writer that dies in a slot leaves its count odd; readers wait there, and the successor writes the slot
//! anew, as the same version. Whatever the words hold, a call takes one copy and a fixed number of loads: the
//! result is a value, a loss, or an error, and the place stays in the ring, because the index is masked.
//!
//! The count wraps after 2^31 versions, and the lap beside it changes. A reader that sleeps for as long finds
//! its own count with another lap, and is told exactly how many values it lost. The lap wraps after 2^63.
//!
//! # Source
//!
//! A ring of sequence locks, as in Agrona's broadcast buffer and Firedancer's caches of fragments; these tell a
//! reader that it was overtaken, not by how much.
//!
//! # Used by
//!
//! [`BroadcastWriter`](crate::BroadcastWriter) and [`BroadcastReader`](crate::BroadcastReader).

use crate::ground::sync::order::{RELAXED, latest_count, latest_data, latest_lap, latest_newest};
use crate::ground::sync::{Word, fence, spin_loop};

use super::Violation;
use super::latest::{self, Buffers, Version, Writer};

/// How often a reader that was overtaken looks for the newest version in one call.
pub const SYNC_TRIES: u32 = 8;

/// Takes the writer's role up where the last writer left it. Five loads, and a store if the last one died
/// between the two stores that publish.
#[must_use]
pub fn adopt(newest: &Word, slots: &impl Buffers, capacity: u32) -> Writer {
    let mut writer = Writer::adopt(newest, slots, capacity);
    let next = writer.next();
    let index = next.count >> 1 & (capacity - 1);
    // ORDERING: Relaxed, both; claiming the role has synchronised with the last writer's end.
    if slots.count(index).load(RELAXED) == next.count && slots.lap(index).load(RELAXED) == next.lap {
        // B1. ORDERING(latest_newest): the slot is complete.
        newest.store(writer.advance().count, latest_newest::STORE);
    }
    writer
}

/// Where a reader goes on, if it starts or has been overtaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the newest value.
    Newest,
    /// As far back as the writer does not come soon: three quarters of the ring.
    Oldest,
}

impl Version {
    /// The version of this number.
    const fn of(number: u64) -> Self {
        Self { lap: (number >> 31) as u32, count: (number as u32) << 1 }
    }
}

impl Start {
    /// The number at which a reader goes on while `newest` is the newest; of nothing, 1.
    fn place(self, newest: u64, capacity: u32) -> u64 {
        let back = match self {
            Self::Newest => 1,
            // B4.
            Self::Oldest => u64::from(capacity) * 3 / 4,
        };
        (newest + 1).saturating_sub(back).max(1)
    }
}

/// A reader's private state: its place.
#[derive(Debug)]
pub struct Reader {
    /// The version that it takes next.
    next: Version,
    mask: u32,
    /// Whether `next` is a place that this reader has taken; before, it has nothing to lose.
    has_started: bool,
    start: Start,
}

/// The outcome of one look at a reader's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is not published yet.
    Empty,
    /// The copy is whole, and of this version; the place has moved on.
    Complete(Version),
    /// A later version is there, or was written during the copy.
    Overtaken,
}

/// The outcome of looking for a new place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The place has moved on by so many versions, which this reader has lost.
    Lost(u64),
    /// The reader has its first place.
    Started,
    /// The writer was faster in all tries.
    Again,
    /// The versions went backwards, as no honest writer's do. The reader goes on behind the newest.
    Violation(Violation),
}

impl Reader {
    /// A reader that takes its first place now, unless the writer is faster in all tries. Six loads a try.
    pub fn start(newest: &Word, slots: &impl Buffers, capacity: u32, start: Start) -> Self {
        let next = Version::of(1);
        let mut reader = Self { next, mask: capacity - 1, has_started: false, start };
        let _ = reader.sync(newest, slots);
        reader
    }

    /// Where this reader goes on when it has been overtaken.
    pub fn set_start(&mut self, start: Start) {
        self.start = start;
    }

    /// The number of the value that comes next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next.number()
    }

    /// Looks at the reader's place, and copies the value there by `copy`, from the slot of the index it is
    /// given. The copy is valid only if the result is [`Look::Complete`]. Five loads at most, two fences' worth
    /// of order, and the copy; no stores.
    #[inline(always)]
    pub fn look(&mut self, slots: &impl Buffers, copy: impl FnOnce(u32)) -> Look {
        let next = self.next;
        let index = next.count >> 1 & self.mask;
        let (lap_word, count_word) = (slots.lap(index), slots.count(index));
        // ORDERING(latest_lap): B2; a later version's lap comes with its odd count.
        let lap = lap_word.load(latest_lap::LOAD);
        // ORDERING(latest_count): the value was written before its count.
        let count = count_word.load(latest_count::LOAD);
        if count != next.count || lap != next.lap {
            // What a reader finds that polls: its own version being written; the version before, of the same lap;
            // or nothing yet.
            let before = next.count.saturating_sub(2 * self.mask + 2);
            if lap == next.lap && (count == next.count | 1 || count == before) {
                return Look::Empty;
            }
            // ORDERING: Relaxed; after the Acquire load above, so no older than that count.
            return self.other_slow(count, lap_word.load(RELAXED));
        }
        copy(index);
        fence(latest_data::READER_FENCE); // ORDERING(latest_data): the copy's loads are ordered before it.
        // ORDERING(latest_count): B2; a later version's count comes with its lap.
        let count_again = count_word.load(latest_count::AGAIN);
        // ORDERING: Relaxed; after the Acquire load above.
        if count_again != count || lap_word.load(RELAXED) != lap {
            return Look::Overtaken;
        }
        self.next = after(next);
        Look::Complete(next)
    }

    /// Whether a [`look`](Self::look) would find something: the reader's version, or that it was overtaken. Three
    /// loads.
    #[must_use]
    pub fn has_more(&self, slots: &impl Buffers) -> bool {
        let next = self.next;
        let index = next.count >> 1 & self.mask;
        // ORDERING(latest_count): no data depends on it; it orders the load of the lap behind it.
        let count = slots.count(index).load(latest_count::LOAD);
        // ORDERING: Relaxed; after the Acquire load above, so no older than that count.
        let lap = slots.lap(index).load(RELAXED);
        (count == next.count && lap == next.lap) || self.other_slow(count, lap) == Look::Overtaken
    }

    /// What a slot holds that does not hold the reader's version: its lap is not older than its count.
    #[cold]
    fn other_slow(&self, count: u32, lap: u32) -> Look {
        let next = self.next;
        let before = Version::of(next.number().saturating_sub(u64::from(self.mask) + 1));
        // The version before is there, or the reader's own is being written; either with either's lap.
        let is_due =
            (count == before.count || count == next.count | 1) && (lap == before.lap || lap == next.lap);
        // Its own was completed between the looks at its lap and its count.
        let is_own = count == next.count && lap == next.lap;
        if is_due || is_own { Look::Empty } else { Look::Overtaken }
    }

    /// Whether the channel was reset: `newest` is one version behind what this reader has seen at most. One load.
    #[must_use]
    pub fn is_beyond(&self, newest: &Word) -> bool {
        // ORDERING: Relaxed; it was stored before a later version that this reader has seen.
        let beyond = self.next.count.wrapping_sub(2).wrapping_sub(newest.load(RELAXED));
        beyond.cast_signed() > 2
    }

    /// Goes back to the first version, after a reset.
    pub fn start_anew(&mut self) {
        (self.next, self.has_started) = (Version::of(1), true);
    }

    /// Finds a place for a reader that was overtaken, or has none yet. [`SYNC_TRIES`] tries of six loads.
    #[cold]
    pub fn sync(&mut self, newest: &Word, slots: &impl Buffers) -> Sync {
        let capacity = self.mask + 1;
        for _ in 0..SYNC_TRIES {
            let number = match latest::attempt(newest, slots, capacity, |_| ()) {
                latest::Attempt::Complete(version) => version.number(),
                latest::Attempt::Empty => 0,
                latest::Attempt::Again => {
                    spin_loop();
                    continue;
                }
            };
            let (old, new) = (self.next.number(), self.start.place(number, capacity));
            if self.has_started && new == old {
                // The version that overtook is not named yet.
                spin_loop();
                continue;
            }
            if self.has_started && new < old {
                // Behind the newest value: so none comes twice.
                self.next = Version::of(number + 1);
                return Sync::Violation(Violation::Sequence);
            }
            self.next = Version::of(new);
            let had_started = core::mem::replace(&mut self.has_started, true);
            return if had_started { Sync::Lost(new - old) } else { Sync::Started };
        }
        Sync::Again
    }
}

/// The version after this one.
#[inline(always)]
fn after(version: Version) -> Version {
    let count = version.count.wrapping_add(2);
    Version { lap: version.lap.wrapping_add(u32::from(count == 0)), count }
}
