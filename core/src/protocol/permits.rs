//! A semaphore of N permits. Each permit's word names its holder, so that a dead holder's permit can be
//! taken over.
//!
//! | permit's word | meaning | next |
//! |---|---|---|
//! | 0 | free | the holder's identity, by the compare-and-swap that takes it |
//! | an identity | taken | 0 by its holder; another identity, with proof of death |
//! | anything else | written by a misbehaving peer | stays taken |
//!
//! # Invariants
//!
//! - Q1. A permit changes hands only through 0, or with proof of death, by a compare-and-swap of the
//!   exact word that names the dead. So a dead holder's permit is taken over once.
//!
//! # Memory ordering
//!
//! `lock`, as for the mutex.
//!
//! # Used by
//!
//! [`Permits`](crate::Permits).

use crate::ground::ident::Ident;
use crate::ground::port::Probe;
use crate::ground::sync::order::{RELAXED, lock};

use super::cas_word::CasWord;
use super::mutex::Lost;

/// Access to the permits' words.
pub trait Permits {
    /// How many there are.
    fn count(&self) -> u32;
    /// The word of a permit, below the count.
    fn permit(&self, index: u32) -> impl CasWord;
}

/// A permit that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub index: u32,
    /// The dead holder that it was taken over from, if it was.
    pub from: Option<Ident>,
}

/// All of so many permits, from `start` on.
pub(super) fn places(count: u32, start: u32) -> impl Iterator<Item = u32> {
    (0..count).map(move |i| (start % count + i) % count)
}

/// Takes a permit that is free. A scan of all N words from `start` on, and a compare-and-swap for each that
/// looks free.
pub fn take_free(permits: &impl Permits, me: Ident, start: u32) -> Option<Taken> {
    for index in places(permits.count(), start) {
        let word = permits.permit(index);
        // ORDERING: Relaxed; the compare-and-swap decides.
        // ORDERING(lock): the last holder's actions are ordered before its release.
        if word.load(RELAXED) == 0 && word.compare_exchange(0, me.word(), lock::ACQUIRE).is_ok() {
            return Some(Taken { index, from: None });
        }
    }
    None
}

/// How many living holders a scan remembers, so that it probes each once.
const REMEMBERED: usize = 16;

/// Takes a permit whose holder is proven dead. A scan of all N words from `start` on, with a probe for each
/// holder; for one holder several where more than 16 live, N at most.
pub fn take_over(
    permits: &impl Permits,
    me: Ident,
    start: u32,
    mut probe: impl FnMut(Ident) -> Probe,
) -> Option<Taken> {
    let mut alive = [me; REMEMBERED];
    for index in places(permits.count(), start) {
        let word = permits.permit(index);
        // ORDERING: Relaxed; the compare-and-swap decides.
        let seen = word.load(RELAXED);
        let Some(holder) = Ident::from_word(seen) else { continue };
        let known = &mut alive[holder.place() as usize % REMEMBERED];
        if holder == me || *known == holder {
            continue;
        }
        if probe(holder) != Probe::Dead {
            *known = holder;
            continue;
        }
        // Q1. ORDERING(lock): the proof of death synchronises; this synchronises with the holders before
        // the dead one.
        if word.compare_exchange(seen, me.word(), lock::ACQUIRE).is_ok() {
            return Some(Taken { index, from: Some(holder) });
        }
    }
    None
}

/// How often giving back is retried while the hardware lock is unavailable.
const TRIES: u32 = 3;

/// Gives a permit back. One compare-and-swap, or three that fail.
///
/// # Errors
///
/// [`Lost`]; nothing has changed then.
pub fn give(word: &impl CasWord, me: Ident) -> Result<(), Lost> {
    for _ in 0..TRIES {
        // ORDERING(lock): what we did is ordered before it.
        match word.compare_exchange(me.word(), 0, lock::RELEASE) {
            Ok(_) => return Ok(()),
            Err(seen) if seen != me.word() => return Err(Lost::NotOwner),
            Err(_) => {}
        }
    }
    Err(Lost::Stuck)
}
