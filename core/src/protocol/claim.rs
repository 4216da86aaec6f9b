//! Roles: one live owner at a time, and succession to a dead one.
//!
//! | owner word | meaning | next |
//! |---|---|---|
//! | 0 | free | an [`Ident`], by the compare-and-swap that claims it |
//! | an [`Ident`] | owned | 0 by its owner; another [`Ident`] by a successor with proof of death |
//! | anything else | written by a misbehaving peer | stays: nobody can be proven dead, so it is Busy |
//!
//! # Invariants
//!
//! - C1. The owner changes from one participant to another only with proof that the first is dead.
//! - C2. Role words other than the owner are written by the owner alone.
//!
//! # Memory ordering
//!
//! `role`: the owner stores 0 after all its other stores; a claimant's compare-and-swap sees them.
//! After a death, the port's proof synchronises instead.
//!
//! # Used by
//!
//! Every endpoint with a role: producers, consumers, [`LatestWriter`](crate::LatestWriter).

use crate::ground::ident::Ident;
use crate::ground::port::Probe;
use crate::ground::sync::Word;
use crate::ground::sync::order::{RELAXED, role};

/// A role was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The dead owner it was taken over from, if any.
    pub from: Option<Ident>,
}

/// Another participant has the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// How often a claim starts again because the owner word changed under it.
const TRIES: u32 = 4;

/// Claims a role for `me`. At most four rounds of one load, one probe and one compare-and-swap.
///
/// # Errors
///
/// [`Busy`] if a live owner has it (or one that cannot be proven dead, or `me`), or if others
/// claimed it faster four times over.
pub fn claim(
    owner: &Word,
    takeovers: &Word,
    me: Ident,
    mut probe: impl FnMut(Ident) -> Probe,
) -> Result<Claimed, Busy> {
    for _ in 0..TRIES {
        // ORDERING: Relaxed; the compare-and-swap below decides.
        let seen = owner.load(RELAXED);
        let from = if seen == 0 {
            None
        } else {
            let holder = Ident::from_word(seen).ok_or(Busy)?;
            if holder == me || probe(holder) != Probe::Dead {
                return Err(Busy);
            }
            Some(holder)
        };
        // ORDERING(role): the last owner's stores are ordered before its release.
        if owner.compare_exchange(seen, me.word(), role::CAS).is_ok() {
            if from.is_some() {
                // ORDERING: Relaxed; C2, for display.
                takeovers.store(takeovers.load(RELAXED).wrapping_add(1), RELAXED);
            }
            return Ok(Claimed { from });
        }
    }
    Err(Busy)
}

/// Gives a role back, if it is still `me`'s. One load, one store.
pub fn release(owner: &Word, me: Ident) {
    // ORDERING: Relaxed; our own word, unless a peer misbehaves.
    if owner.load(RELAXED) == me.word() {
        owner.store(0, role::STORE); // ORDERING(role): all that we stored is ordered before it.
    }
}
