//! Sleeping and waking by one word, without a syscall while nobody sleeps.
//!
//! ```text
//!   sleeper                              sender
//!   parked = 1                           publish
//!   fence (park.SLEEPER_FENCE)           fence (park.SENDER_FENCE), unless left out
//!   look at the data again               if parked is odd: parked = 0, wake all
//!   sleep while parked == 1
//! ```
//!
//! On a doorbell that several consumers share, each stores an odd value of its own in place of 1 (P6).
//!
//! # Invariants
//!
//! - P1. Either the sleeper's second look sees the publication, or the sender's look sees `parked`
//!   (the two fences are in one total order; Dekker's argument).
//! - P2. The sender clears `parked` before it wakes, so a sleeper that is about to sleep finds it
//!   changed.
//! - P3. Nobody sleeps longer than the probe period at a time. So a sender that dies between its
//!   publication and its wake, one that leaves its fence out, or a peer that clears `parked` without
//!   waking, costs that period at most.
//! - P4. Where several sleep on one word (locks, readers of a latest value; within one domain), it counts
//!   the wakes above its lowest bit, by compare-and-swap: a wake between a sleeper's look and its sleep
//!   is never hidden by another sleeper that sets the word at that moment. Each wake wakes all, but for P7.
//! - P5. A waiting task registers its waker with its port before it sets the word, and never clears the
//!   word. The sender that sees the word set clears it first and takes the waker then. So it takes that
//!   waker; or it took before the registration, and then the publication came before as well, and the
//!   task's second look sees it.
//! - P6. Where several consumers share a word (a doorbell) and senders of any domain clear it, each
//!   consumer stores a value of its own, odd, and sleeps while the word is that: so what it sleeps on is its
//!   own store, and a clearing behind that is followed by a wake that it gets. Nobody but a sender clears
//!   such a word, or another's value might be lost; a sender then wakes in vain, once.
//! - P7. Where one sleeper can take what was given back (permits), one is woken, and the lowest bit of a word as in P4
//!   stays set for the others: several may be given back before the first one woken has run. Only a sender whose wake
//!   left nobody asleep clears the bit, and then wakes all that came since.
//!
//! # Used by
//!
//! Every endpoint that waits: queues, latest values, locks, [`wait_any`](crate::wait_any), and tasks.

use crate::ground::sync::order::{RELAXED, park};
use crate::ground::sync::{Word, fence};

use super::cas_word::CasWord;

/// Nobody has asked to be woken.
pub const AWAKE: u32 = 0;
/// Somebody sleeps, or is about to.
pub const PARKED: u32 = 1;

/// In the word of a lock, on which its waiters sleep: the bit that is set while somebody sleeps.
pub const WAITERS: u32 = 1 << 31;

/// Sets [`WAITERS`] in the word of a lock before the caller sleeps on it, if the word is still as `seen`;
/// returns the value to sleep on. One compare-and-swap at most.
#[must_use]
pub fn announce_waiter(word: &impl CasWord, seen: u32) -> Option<u32> {
    let asleep = seen | WAITERS;
    // ORDERING: Relaxed; the kernel compares the word again, and locking synchronises.
    (seen == asleep || word.compare_exchange(seen, asleep, RELAXED).is_ok()).then_some(asleep)
}

/// The sleeper's first step: after it, look at the data again, then sleep while the word is `asleep`, which
/// is [`PARKED`], or on a shared doorbell a value of the sleeper's own (P6).
#[inline]
pub fn prepare(parked: &Word, asleep: u32) {
    // ORDERING: Relaxed; the fence orders it before the second look.
    parked.store(asleep, RELAXED);
    fence(park::SLEEPER_FENCE); // ORDERING(park): P1.
}

/// The first step of a sleeper on a word with several sleepers: as [`prepare`], but the word counts the
/// wakes as well, so that a sleeper finds it changed even if another has set it since (P4). Returns the
/// value to sleep on. One compare-and-swap at most.
#[inline]
#[must_use]
pub fn enlist(parked: &impl CasWord) -> u32 {
    // ORDERING: Relaxed; the fence orders it before the second look.
    let seen = parked.load(RELAXED);
    let asleep = seen | PARKED;
    if seen != asleep {
        // ORDERING: Relaxed, as above. If it failed, the kernel finds out.
        let _ = parked.compare_exchange(seen, asleep, RELAXED);
    }
    fence(park::SLEEPER_FENCE); // ORDERING(park): P1.
    asleep
}

/// The sender's step before it wakes sleepers that [`enlist`]ed, if [`is_parked`]: returns whether there
/// are any that no other sender is waking. One compare-and-swap at most. If that fails because the
/// hardware lock is unavailable, P3 bounds the delay.
#[inline]
#[must_use]
pub fn dismiss(parked: &impl CasWord) -> bool {
    // ORDERING: Relaxed; ordered by the fence.
    let seen = parked.load(RELAXED);
    // ORDERING: Relaxed; the port's wake orders it for the sleeper's kernel (P2).
    seen & PARKED != 0 && parked.compare_exchange(seen, seen.wrapping_add(1), RELAXED).is_ok()
}

/// The sender's step before it wakes one of the sleepers that [`enlist`]ed, if [`is_parked`]: the word is another one
/// then, and says still that somebody sleeps (P7). One compare-and-swap at most. If that fails, another sender has
/// changed the word, so that each sleeper that is not asleep yet looks again; or the hardware lock is unavailable, and
/// P3 bounds the delay.
#[inline]
pub fn summon(parked: &impl CasWord) {
    // ORDERING: Relaxed; ordered by the fence.
    let seen = parked.load(RELAXED);
    if seen & PARKED != 0 {
        // ORDERING: Relaxed; the port's wake orders it for the sleeper's kernel (P2).
        let _ = parked.compare_exchange(seen, seen.wrapping_add(2), RELAXED);
    }
}

/// The last step of a word's only sleeper, however it woke: no wake is needed any more.
#[inline]
pub fn done(parked: &Word) {
    // ORDERING: Relaxed; an unneeded wake is harmless.
    parked.store(AWAKE, RELAXED);
}

/// The sender's step between its publication and [`is_parked`]. A sender may leave it out, and loses P1:
/// P3 then bounds the delay.
#[inline(always)]
pub fn order_before_look() {
    fence(park::SENDER_FENCE); // ORDERING(park): P1.
}

/// Whether somebody sleeps, or is about to: then [`unpark`], or [`dismiss`] where several may, and wake.
#[inline(always)]
#[must_use]
pub fn is_parked(parked: &Word) -> bool {
    // ORDERING: Relaxed; ordered by the fence.
    parked.load(RELAXED) & PARKED != 0
}

/// The sender's step before it wakes the sleepers.
#[inline]
pub fn unpark(parked: &Word) {
    // ORDERING: Relaxed; the port's wake orders it for the sleeper's kernel (P2).
    parked.store(AWAKE, RELAXED);
}
