//! A lock whose word names its owner, so that the owner's death can be proven and repaired.
//!
//! ```text
//!   31       30 29    28 ........ 9  8 ..... 0
//!   WAITERS  deaths   epoch          slot          of the owner
//! ```
//!
//! | word | meaning | next |
//! |---|---|---|
//! | 0 | free | the owner's identity, by the compare-and-swap that locks |
//! | an identity | held | 0 by its owner; with proof of death, the survivor's with one death more |
//! | an identity, 1 to 3 deaths | held for repair | no deaths, when repaired; `POISONED`, when given up |
//! | `POISONED` | given up | an identity with 3 deaths, by a participant that re-initialises |
//! | anything else | written by a misbehaving peer | stays; every attempt returns `Violation::State` |
//!
//! The deaths count the owners that died in a row, each while repairing after the one before: proof of
//! death adds one, and a fourth death poisons the lock. So a lock is `POISONED` again if the participant
//! that re-initialises it dies before the data are whole.
//!
//! `WAITERS` may be set in any of these but 0: somebody sleeps on the word, and the participant that
//! clears the bit wakes the first sleeper; one that gives the lock up wakes all.
//!
//! # Invariants
//!
//! - K1. The owner changes from one participant to another only with proof that the first is dead, by a
//!   compare-and-swap of the exact word that names it.
//! - K2. While somebody sleeps, `WAITERS` is set, or the word was changed since, and one sleeper is being woken or has
//!   been. A participant that has slept may have been that one, so it sees to the others: it locks with `WAITERS` set;
//!   it sets `WAITERS` before it sleeps again, and before it returns because its time is over, or wakes the next one
//!   instead; if the lock was given up meanwhile, it wakes all.
//! - K3. Nobody sleeps longer than the probe period at a time. So a wake that is lost with its sender, or with the
//!   sleeper that was woken, and a cleared `WAITERS`, cost that period at most.
//!
//! # Memory ordering
//!
//! `lock`: the owner's actions are ordered before its release, and the next owner's compare-and-swap sees
//! them. After a death, the port's proof synchronises instead.
//!
//! # Source
//!
//! The three-state futex mutex (Drepper 2011), with the owner in the word as in the kernel's robust
//! futexes, and the proof of death from the port instead of a robust list.
//!
//! # Used by
//!
//! [`Mutex`](crate::Mutex), [`Guard`](crate::Guard), [`Recovery`](crate::Recovery).

use crate::ground::ident::Ident;
use crate::ground::port::Probe;
use crate::ground::sync::order::{RELAXED, lock};

use super::cas_word::CasWord;
use super::park::WAITERS;

/// One death, in the deaths' place.
const DEATH: u32 = 1 << 29;
const DEATHS: u32 = 3 * DEATH;
const OWNER: u32 = DEATH - 1;
/// The lock was given up; only re-initialising takes it.
pub const POISONED: u32 = DEATHS;

/// The state that a lock's word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has it.
    Free,
    /// Somebody has it, after `deaths` owners that each died with the lock.
    Held {
        /// The owner.
        owner: Ident,
        /// 0 if the data are whole.
        deaths: u32,
    },
    /// Given up.
    Poisoned,
    /// Nothing that an honest peer writes.
    Impossible,
}

/// Reads a lock's word.
#[must_use]
pub fn state(word: u32) -> State {
    match (word & !WAITERS, Ident::from_word(word & OWNER)) {
        (POISONED, _) => State::Poisoned,
        (_, Some(owner)) => State::Held { owner, deaths: (word & DEATHS) / DEATH },
        (0, None) if word == 0 => State::Free,
        _ => State::Impossible,
    }
}

/// Outcome of one attempt to lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is ours, and the data are whole.
    Locked,
    /// It is ours, and its owner died with it.
    OwnerDied {
        /// The dead owner.
        from: Ident,
    },
    /// Somebody alive has it; the word as it was seen.
    Held(u32),
    /// It is ours already.
    Deadlock,
    /// It was given up, perhaps by this attempt.
    Poisoned,
    /// The word is one that no honest peer writes.
    Impossible,
    /// The word changed during the attempt.
    Again,
}

/// Tries to lock; `slept` is set if the caller has slept on the word. At most two compare-and-swaps and
/// one probe; one compare-and-swap if it is free.
#[inline(always)]
pub fn attempt(word: &impl CasWord, me: Ident, slept: bool, probe: impl FnOnce(Ident) -> Probe) -> Attempt {
    let mine = me.word() | if slept { WAITERS } else { 0 };
    // ORDERING(lock): the last owner's actions are ordered before its release.
    match word.compare_exchange(0, mine, lock::ACQUIRE) {
        Ok(_) => Attempt::Locked,
        Err(seen) => succeed_slow(word, seen, mine, me, probe),
    }
}

#[cold]
fn succeed_slow(
    word: &impl CasWord,
    seen: u32,
    mine: u32,
    me: Ident,
    probe: impl FnOnce(Ident) -> Probe,
) -> Attempt {
    let (owner, deaths) = match state(seen) {
        State::Free => return Attempt::Again,
        State::Poisoned => return Attempt::Poisoned,
        State::Impossible => return Attempt::Impossible,
        State::Held { owner, .. } if owner == me => return Attempt::Deadlock,
        State::Held { owner, deaths } => (owner, deaths),
    };
    if probe(owner) != Probe::Dead {
        return Attempt::Held(seen);
    }
    let (new, answer) = if deaths == 3 {
        (POISONED | (seen & WAITERS), Attempt::Poisoned)
    } else {
        (mine | (seen & WAITERS) | ((deaths + 1) * DEATH), Attempt::OwnerDied { from: owner })
    };
    // K1. ORDERING(lock): the proof of death synchronises; this synchronises with the owners before the
    // dead one.
    match word.compare_exchange(seen, new, lock::ACQUIRE) {
        Ok(_) => answer,
        Err(_) => Attempt::Again,
    }
}

/// Error of changing an owner's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Somebody else owns the lock, or nobody does.
    NotOwner,
    /// The word kept changing, which happens only if a peer misbehaves.
    Impossible,
    /// The word is still ours: the hardware lock, under which two domains change it, was unavailable.
    Stuck,
}

/// How often a change of our own word starts again: others may set `WAITERS` once.
const TRIES: u32 = 3;

/// Gives the lock back; returns whether the first sleeper must be woken. One compare-and-swap, two if another
/// participant has just gone to sleep, at most three.
///
/// # Errors
///
/// [`Lost`]; nothing has changed then.
#[inline(always)]
pub fn unlock(word: &impl CasWord, me: Ident) -> Result<bool, Lost> {
    // ORDERING(lock): what we did is ordered before it.
    match word.compare_exchange(me.word(), 0, lock::RELEASE) {
        Ok(_) => Ok(false),
        Err(seen) => change_slow(word, seen, me, |_| 0),
    }
}

/// Marks the data as whole after a repair; the lock stays ours.
///
/// # Errors
///
/// [`Lost`]; nothing has changed then.
pub fn repaired(word: &impl CasWord, me: Ident) -> Result<(), Lost> {
    // ORDERING: Relaxed; our own word.
    change_slow(word, word.load(RELAXED), me, |seen| seen & !DEATHS).map(|_| ())
}

/// Gives the lock up; returns whether all sleepers must be woken.
///
/// # Errors
///
/// [`Lost`]; nothing has changed then.
pub fn poison(word: &impl CasWord, me: Ident) -> Result<bool, Lost> {
    // ORDERING: Relaxed; our own word.
    change_slow(word, word.load(RELAXED), me, |_| POISONED)
}

/// Takes over a lock that was given up, to set its data anew; then call [`repaired`]. Returns `false` if
/// the lock was not given up.
pub fn revive(word: &impl CasWord, me: Ident) -> bool {
    // ORDERING: Relaxed; the compare-and-swap decides.
    let seen = word.load(RELAXED);
    // ORDERING(lock): as for locking.
    seen & !WAITERS == POISONED
        && word.compare_exchange(seen, me.word() | DEATHS | (seen & WAITERS), lock::ACQUIRE).is_ok()
}

#[cold]
fn change_slow(word: &impl CasWord, mut seen: u32, me: Ident, to: impl Fn(u32) -> u32) -> Result<bool, Lost> {
    let mut lost = Lost::Impossible;
    for _ in 0..TRIES {
        if seen & OWNER != me.word() {
            return Err(Lost::NotOwner);
        }
        // ORDERING(lock): what we did is ordered before it.
        match word.compare_exchange(seen, to(seen), lock::RELEASE) {
            Ok(_) => return Ok(seen & WAITERS != 0),
            Err(now) => {
                lost = if now == seen { Lost::Stuck } else { Lost::Impossible };
                seen = now;
            }
        }
    }
    Err(lost)
}
