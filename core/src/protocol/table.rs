//! The participant table: the participants of the region.
//!
//! | state word | meaning | next |
//! |---|---|---|
//! | free, epoch e | nobody; e incarnations have been here | live, epoch e + 1, by a joiner |
//! | live, epoch e | has the token for (place, e), or died with it | free, by itself; live, e + 1 |
//! | retired | the epoch has run out | stays |
//!
//! Only a joiner with proof of the incarnation's death changes live, e to live, e + 1.
//!
//! # Invariants
//!
//! - T1. A joiner takes the token for (place, e + 1) before its compare-and-swap publishes it. So a
//!   published incarnation without a token is dead, never merely starting.
//! - T2. No identity is given out twice: epochs only go up, and a place at its last epoch is retired.
//! - T3. A forged table cannot harm live participants: the port proves death for the exact pair, and the
//!   token for a pair that lives cannot be taken.
//!
//! # Used by
//!
//! [`participants`](crate::format::participants).

use crate::ground::ident::Ident;
use crate::ground::port::{Liveness, Probe};
use crate::ground::sync::Word;
use crate::ground::sync::order::{RELAXED, role};

/// Bits of the state word that hold the epoch.
pub const EPOCH: u32 = Ident::MAX_EPOCH;
/// The state: nobody.
pub const FREE: u32 = 0 << 30;
/// The state: somebody, alive or dead.
pub const LIVE: u32 = 1 << 30;
/// The state: nobody ever again.
pub const RETIRED: u32 = 2 << 30;
/// Bits of the state word that hold the state.
pub const STATE: u32 = 3 << 30;

/// The incarnation that a state word names as live (now or once) in `place`.
#[must_use]
pub fn occupant(place: u32, word: u32) -> Option<Ident> {
    if word & STATE == LIVE { Ident::new(place, word & EPOCH) } else { None }
}

/// Tries to join in one place. `None` if it is taken or retired, or another joiner was faster. At most one
/// load, one probe, one token and one compare-and-swap.
pub fn try_join(place: u32, state: &Word, liveness: &impl Liveness) -> Option<Ident> {
    // ORDERING: Relaxed; the compare-and-swap below decides.
    let seen = state.load(RELAXED);
    if seen & STATE != FREE && seen & STATE != LIVE {
        return None;
    }
    if let Some(holder) = occupant(place, seen)
        && liveness.probe(holder) != Probe::Dead
    {
        return None;
    }
    let epoch = (seen & EPOCH) + 1;
    let Some(me) = Ident::new(place, epoch) else {
        // T2. ORDERING(role): as for joining; nothing depends on its success.
        let _ = state.compare_exchange(seen, RETIRED, role::CAS);
        return None;
    };
    // SAFETY: published by the compare-and-swap below, or released.
    unsafe { liveness.acquire(me) }.ok()?; // T1
    // ORDERING(role): the last occupant's stores are ordered before it left.
    if state.compare_exchange(seen, LIVE | epoch, role::CAS).is_err() {
        // SAFETY: the token was taken above, and `me` was not published: nobody uses it.
        unsafe { liveness.release(me) };
        return None;
    }
    Some(me)
}

/// Leaves. The caller then gives the token back.
pub fn leave(state: &Word, me: Ident) {
    // ORDERING: Relaxed; our own word, unless a peer misbehaves.
    if state.load(RELAXED) == LIVE | me.epoch() {
        state.store(FREE | me.epoch(), role::STORE); // ORDERING(role): our stores are ordered before it.
    }
}
