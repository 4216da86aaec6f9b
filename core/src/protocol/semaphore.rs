//! A counting semaphore in one word, for signals: nobody owns the count.
//!
//! The word holds the number of releases less that of acquires, modulo 2^31, so that memory of zeros is a
//! semaphore at its initial count. Bit 31 is set while somebody sleeps.
//!
//! # Invariants
//!
//! - E1. `initial + word` is the count, 0 to the maximum.
//! - E2. `WAITERS` is set only by a participant that found the count 0. A release that finds it wakes as many as it
//!   released, and leaves it set: another release may come before those have run. Only a release whose wake left nobody
//!   asleep clears it, if the word is still as it was before that wake, and then wakes all that came since.
//! - E3. Nobody sleeps longer than the probe period at a time.
//! - E4. What a handle remembers as the last word ([`Last`]) is one that it saw there or stored, and that is within the
//!   limits. An exchange that finds it again finds the count that it stands for, whatever came between.
//!
//! # Memory ordering
//!
//! `lock`: everything before a release is visible after the acquire that takes it, or a later one.
//!
//! # If a peer dies or misbehaves
//!
//! Units that a dead process acquired are lost; [`permits`](super::permits) can be taken over. A count
//! beyond the maximum is a [`Violation`].
//!
//! # Used by
//!
//! [`Semaphore`](crate::Semaphore).

use crate::ground::sync::order::{RELAXED, lock};

use super::Violation;
use super::cas_word::CasWord;
use super::park::WAITERS;

/// How often a change starts again because others were faster.
const TRIES: u32 = 64;

/// Whether a handle remembers the last word, and tries an exchange with it before it loads. A processor that goes on past
/// a load, but not past an exchange, waits for the load of what it has just exchanged. A small one does not: it saves the code.
const REMEMBERS: bool = cfg!(target_pointer_width = "64");

/// The count, past any maximum, of a semaphore in a forked child's copy of a region.
pub const FORKED: u32 = WAITERS - 1;

/// The limits of a semaphore, from the region's directory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The count of a word of zeros.
    pub initial: u32,
    /// The highest count.
    pub max: u32,
}

impl Limits {
    /// The count that a word stands for.
    ///
    /// # Errors
    ///
    /// [`Violation::State`] if that is beyond the maximum, or `Forked` if it is [`FORKED`].
    #[inline]
    pub fn count(&self, word: u32) -> Result<u32, Violation> {
        match self.any_count(word) {
            count if count <= self.max => Ok(count),
            FORKED => Err(Violation::Forked),
            _ => Err(Violation::State),
        }
    }

    /// The same, whatever it is.
    #[inline]
    fn any_count(&self, word: u32) -> u32 {
        self.initial.wrapping_add(word) & !WAITERS
    }
}

/// The last word of a semaphore that a handle saw or stored (E4); at first, that of a new semaphore, whose count is within
/// the limits or the directory is refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Last(u32);

impl Last {
    /// The word, if it is worth an exchange: an honest one, of a count that `is_enough`.
    #[inline]
    fn guess(self, limits: &Limits, is_enough: impl Fn(u32) -> bool) -> Option<u32> {
        (REMEMBERS && is_enough(limits.any_count(self.0))).then_some(self.0)
    }

    #[inline]
    fn set(&mut self, word: u32) {
        if REMEMBERS {
            self.0 = word;
        }
    }
}

/// Error of an acquire or a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The count is 0; the word as it was seen.
    Empty(u32),
    /// The count would pass the maximum.
    Overflow,
    /// Others were faster each time.
    Contended,
    /// The word is one that no honest peer writes.
    Violation(Violation),
}

/// Takes one. One compare-and-swap if nobody has changed the word since `last`; else one load or one more, and one; up to
/// 65 of them while others change the word.
///
/// # Errors
///
/// [`Refused`], never `Overflow`; nothing has changed then.
#[inline]
pub fn acquire(word: &impl CasWord, limits: &Limits, last: &mut Last) -> Result<(), Refused> {
    let taken = |seen: u32| seen.wrapping_sub(1) & !WAITERS | seen & WAITERS;
    // ORDERING(lock): what the releaser did is ordered before it.
    let exchange = |seen| word.compare_exchange(seen, taken(seen), lock::ACQUIRE);
    let mut seen = match last.guess(limits, |count| count > 0) {
        Some(word) => match exchange(word) {
            Ok(_) => {
                last.set(taken(word));
                return Ok(());
            }
            Err(now) => now,
        },
        None => load(word),
    };
    for _ in 0..TRIES {
        if limits.count(seen).map_err(Refused::Violation)? == 0 {
            last.set(seen);
            return Err(Refused::Empty(seen));
        }
        match exchange(seen) {
            Ok(_) => {
                last.set(taken(seen));
                return Ok(());
            }
            Err(now) => seen = now,
        }
    }
    Err(Refused::Contended)
}

/// Gives `count` back; returns whether sleepers must be woken, as many as that, between [`seen`] and [`nobody_waits`].
/// Steps as for [`acquire`].
///
/// # Errors
///
/// [`Refused`], never `Empty`; nothing has changed then.
#[inline]
pub fn release(word: &impl CasWord, limits: &Limits, count: u32, last: &mut Last) -> Result<bool, Refused> {
    // E2.
    let given = |seen: u32| seen.wrapping_add(count) & !WAITERS | seen & WAITERS;
    // ORDERING(lock): what we did is ordered before it, and so is the waiters' last look.
    let exchange = |seen| word.compare_exchange(seen, given(seen), lock::RELEASE);
    let mut seen = match last.guess(limits, |now| count <= limits.max - now) {
        Some(word) => match exchange(word) {
            Ok(_) => {
                last.set(given(word));
                return Ok(word & WAITERS != 0);
            }
            Err(now) => now,
        },
        None => load(word),
    };
    for _ in 0..TRIES {
        let now = limits.count(seen).map_err(Refused::Violation)?;
        if count > limits.max - now {
            return Err(Refused::Overflow);
        }
        match exchange(seen) {
            Ok(_) => {
                last.set(given(seen));
                return Ok(seen & WAITERS != 0);
            }
            Err(now) => seen = now,
        }
    }
    Err(Refused::Contended)
}

#[inline]
fn load(word: &impl CasWord) -> u32 {
    word.load(RELAXED) // ORDERING: Relaxed; the compare-and-swap decides.
}

/// The word behind a release, before its wake; for [`nobody_waits`]. One load.
#[must_use]
pub fn seen(word: &impl CasWord) -> u32 {
    word.load(RELAXED) // ORDERING: Relaxed; no older than what we stored, and the compare-and-swap decides.
}

/// After a wake that left nobody asleep: clears `WAITERS` if the word is still as it was `seen` before that wake;
/// returns whether it did: then wake all (E2). One compare-and-swap.
#[must_use]
pub fn nobody_waits(word: &impl CasWord, seen: u32) -> bool {
    // ORDERING: Relaxed; the port's wake orders it for the sleeper's kernel. What was released before is released still.
    word.compare_exchange(seen, seen & !WAITERS, RELAXED).is_ok()
}
