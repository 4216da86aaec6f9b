//! The participant table: the participants of the region.
//!
//! | state word | meaning | next |
//! |---|---|---|
//! | free, epoch e | nobody; the last incarnation here was e | live, the next epoch, by a joiner |
//! | live, epoch e | has the token for (place, e), or died with it | free, by itself; live, the next epoch |
//! | retired | the epochs have run out, says a program that does not begin them anew | live, epoch 1 |
//!
//! Only a joiner with proof of the incarnation's death changes live, e to live. The next epoch is e + 1, and 1
//! behind the last one; or a later one, where a word of the region still names that identity.
//!
//! # Invariants
//!
//! - T1. A joiner takes the token for its identity before its compare-and-swap publishes it. So a
//!   published incarnation without a token is dead, never merely starting.
//! - T2. An identity is given out only if no word of the region names it. Epochs come again after 2^20 - 1
//!   joins of a place, so the joiner looks at all such words ([`Names`]), and takes another epoch if one of them
//!   has its identity. Nothing can come to name it after that look: only its holder writes it, the last one is
//!   gone, and by the token that the joiner has taken (T1) there is no other.
//! - T3. A forged table cannot harm live participants: the port proves death for the exact pair, and the
//!   token for a pair that lives cannot be taken.
//!
//! # Used by
//!
//! [`participants`](crate::format::participants).
//!
//! # Trade-offs
//!
//! A claimant that has proof of a death stands still before its compare-and-swap, until the dead one's identity
//! has come again: then it takes the word from a living namesake. That needs 2^20 - 1 joins of one place in
//! between, a day at ten a second, after which the same epoch must be the one that lives, and hold the same
//! word. Excluding it would take a wider word, or a store before each takeover that joiners look at.

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
/// The state: nobody; the epochs have run out.
pub const RETIRED: u32 = 2 << 30;
/// Bits of the state word that hold the state.
pub const STATE: u32 = 3 << 30;

/// The incarnation that a state word names as live (now or once) in `place`.
#[must_use]
pub fn occupant(place: u32, word: u32) -> Option<Ident> {
    if word & STATE == LIVE { Ident::new(place, word & EPOCH) } else { None }
}

/// Whether words of the region name an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// None does.
    Free,
    /// One does: whoever had that identity died with a role, a lock or a permit, and nobody has taken it over, or with
    /// a call that is not done.
    Named,
    /// There are words that this program does not know: a channel of a kind or with flags of a later version.
    Unknown,
}

/// How many epochs a joiner tries. Each is twice as far from the last one as the one before, so it gets past
/// any run of identities that crashes have left in a row.
const TRIES: u32 = 20;

/// The epoch that is `step` behind `last`; 1 follows the highest.
fn epoch_after(last: u32, step: u32) -> u32 {
    // The sum is below 2^21.
    match last + step {
        epoch if epoch > EPOCH => epoch - EPOCH,
        epoch => epoch,
    }
}

/// Tries to join in one place; `names` looks at the region's words for an identity. `None` if the place is taken,
/// if another joiner was faster, or if its epochs have run out and it is not known whether they may begin anew.
/// At most one load, one compare-and-swap, and one token with a look at the names before and after it; one probe,
/// or 21 of it and of the looks where identities are named still.
pub fn try_join(
    place: u32,
    state: &Word,
    liveness: &impl Liveness,
    names: impl Fn(Ident) -> Names,
) -> Option<Ident> {
    // T2. ORDERING(role): what those who have left stored is seen in the look at the names; of the dead, the
    // proof of death shows it.
    let seen = state.load(role::LOAD);
    if seen & STATE != FREE && seen & STATE != LIVE && seen != RETIRED {
        return None;
    }
    if let Some(holder) = occupant(place, seen)
        && liveness.probe(holder) != Probe::Dead
    {
        return None;
    }
    for step in (0..TRIES).map(|n| 1 << n) {
        let epoch = epoch_after(seen & EPOCH, step);
        let me = Ident::new(place, epoch)?;
        // Before the token, which would make a dead one that is named look alive to others.
        if names(me) == Names::Named {
            if liveness.probe(me) == Probe::Dead {
                continue;
            }
            return None; // T3. It lives, and somebody has changed the state under it.
        }
        // SAFETY: published by the compare-and-swap below, or released.
        unsafe { liveness.acquire(me) }.ok()?; // T1
        let anew = seen == RETIRED || epoch <= seen & EPOCH;
        let new = match names(me) {
            Names::Free => LIVE | epoch,
            Names::Unknown if anew => RETIRED,
            Names::Unknown => LIVE | epoch,
            Names::Named => seen, // Somebody was faster: the state has changed, too.
        };
        // ORDERING(role): the last occupant's stores are ordered before it left.
        if state.compare_exchange(seen, new, role::CAS).is_ok() && new == (LIVE | epoch) {
            return Some(me);
        }
        give_back(liveness, me);
        return None;
    }
    None
}

/// Gives back the token of an identity that was not published.
fn give_back(liveness: &impl Liveness, me: Ident) {
    // SAFETY: `try_join` has taken it just now, and has not published `me`: nobody uses it.
    unsafe { liveness.release(me) };
}
/// Leaves. The caller then gives the token back.
pub fn leave(state: &Word, me: Ident) {
    // ORDERING: Relaxed; our own word, unless a peer misbehaves.
    if state.load(RELAXED) == LIVE | me.epoch() {
        state.store(FREE | me.epoch(), role::STORE); // ORDERING(role): our stores are ordered before it.
    }
}
