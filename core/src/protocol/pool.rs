//! A pool of blocks: each has one owner, and passes from one participant to another without a copy.
//!
//! ```text
//!   block C, four words a block                     data, a block each
//!   | state | turn | sender | len | state | ...     | bytes of block 0 | bytes of block 1 | ...
//! ```
//!
//! | state word | meaning | next |
//! |---|---|---|
//! | 0 | free | an [`Ident`], by the compare-and-swap that claims it |
//! | an [`Ident`] | owned: written or read by that participant | 0, or sent, by its owner; another [`Ident`] with proof of death |
//! | `SENT` and a number | handed over, not taken yet | the [`Ident`] of whoever has the number; or of a claimant, if `sender` is proven dead |
//! | anything else | written by a misbehaving peer | stays |
//!
//! `turn`, `sender` and `len` are the owner's. A number is a generation, which is raised before the bytes are written, and
//! in its low five bits a count of the times that these bytes were sent. `turn` is the owner's number; a block is sent as the
//! next one.
//!
//! # Invariants
//!
//! - L1. A block changes hands only through 0, through `SENT` and the number that the taker has, or with proof that its
//!   owner (or the sender, if it is sent) is dead. Each of these is one compare-and-swap of the exact word, so it happens
//!   once.
//! - L2. `turn`, `sender`, `len` and the bytes are written by the owner alone, and the bytes only after it has raised the
//!   generation in `turn` ([`Owned::renew`]).
//! - L3. No number is sent twice, within 2^25 generations: what was sent last is of the generation of `turn`, and is at most
//!   the number behind it. An owner's number is at least what was sent last, and a sender whose count is used up raises
//!   the generation.
//! - L4. As long as the generation stands, the bytes are those that were sent, under any number of it (L2). So the block
//!   of a dead taker, which may have sent it on, can be taken again by a successor that gets the same number from its queue
//!   once more.
//!
//! # Memory ordering
//!
//! `lock`, as for the mutex: whoever gives a block, or sends it, releases; whoever claims or takes it acquires.
//!
//! # If a peer dies
//!
//! A block that it owned is claimed by another with proof of death, or taken again under its number (L4). A block that it
//! has sent stays in its queue; it is claimed only if no other block is free, and whoever comes with its number then is
//! told that it is gone.
//!
//! # If a peer misbehaves
//!
//! It can take, give and write blocks as it likes. Every index, length and number is checked before it is used, so
//! nothing outside of a block is reached.
//!
//! # Used by
//!
//! [`Pool`](crate::pool::Pool).

use crate::ground::ident::Ident;
use crate::ground::port::Probe;
use crate::ground::sync::order::{RELAXED, lock};
use crate::ground::sync::{WordRef, in_order};

use super::cas_word::CasWord;
use super::mutex::Lost;
use super::permits::{give, places};

/// State word: handed over; the other bits are the number.
pub const SENT: u32 = 1 << 30;
/// The bits of a number.
pub const NUMBER: u32 = SENT - 1;

/// Access to the words of a pool's blocks.
pub trait Blocks {
    /// How many there are.
    fn count(&self) -> u32;
    /// The state word of a block, below the count.
    fn state(&self, index: u32) -> impl CasWord;
    /// Its turn.
    fn turn(&self, index: u32) -> WordRef;
    /// The participant that has sent it.
    fn sender(&self, index: u32) -> WordRef;
    /// How many of its bytes were sent.
    fn len(&self, index: u32) -> WordRef;
}

/// A block that this participant owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Which.
    pub index: u32,
    /// Its owner's number.
    pub number: u32,
    /// The dead owner, or sender, that it was taken over from.
    pub from: Option<Ident>,
}

/// Why a block was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no such block, or no such number.
    Impossible,
    /// It is another participant's, or was given back: this number leads to nothing any more.
    Gone,
    /// The hardware lock was unavailable; nothing has changed.
    Stuck,
}

/// The bits of a number that count how often the bytes were sent.
const COUNT: u32 = 31;

/// The first number of the next generation; it is never sent.
#[must_use]
pub const fn next_generation(number: u32) -> u32 {
    (number | COUNT).wrapping_add(1) & NUMBER
}

/// The number behind this one, unless its generation has no more.
const fn next(number: u32) -> Option<u32> {
    if number & COUNT == COUNT { None } else { Some(number + 1) }
}

/// The number of a block that is sent.
#[must_use]
pub const fn sent_as(state: u32) -> Option<u32> {
    if state & !NUMBER == SENT { Some(state & NUMBER) } else { None }
}

/// Claims a block that is free. A scan of all states from `start` on, and a compare-and-swap for each that looks free.
pub fn claim_free(blocks: &impl Blocks, me: Ident, start: u32) -> Option<Owned> {
    for index in places(blocks.count(), start) {
        let state = blocks.state(index);
        // ORDERING: Relaxed; the compare-and-swap decides.
        // ORDERING(lock): the last owner is done with the block before it gives it back.
        if state.load(RELAXED) == 0 && state.compare_exchange(0, me.word(), lock::ACQUIRE).is_ok() {
            return Some(enter(blocks, index, None, None));
        }
    }
    None
}

/// Claims a block of a participant that is proven dead: one that it owned, or else one that it has sent. Two scans of all
/// states from `start` on, with a probe for each block at most.
pub fn claim_of_dead(
    blocks: &impl Blocks,
    me: Ident,
    start: u32,
    mut probe: impl FnMut(Ident) -> Probe,
) -> Option<Owned> {
    // The last one that was found alive, so that a pool whose blocks are all one participant's asks once.
    let mut alive = me;
    for sent in [false, true] {
        for index in places(blocks.count(), start) {
            let state = blocks.state(index);
            // ORDERING(lock): whoever has sent a block has stored its name before.
            let seen = state.load(lock::ACQUIRE);
            let who = match sent_as(seen) {
                // ORDERING: Relaxed; published by the state.
                Some(_) if sent => Ident::from_word(blocks.sender(index).load(RELAXED)),
                None if !sent => Ident::from_word(seen),
                _ => None,
            };
            let Some(who) = who.filter(|&who| who != me && who != alive) else { continue };
            if probe(who) != Probe::Dead {
                alive = who;
                continue;
            }
            // L1. ORDERING(lock): the proof of death synchronises; this synchronises with the owners before the dead.
            if state.compare_exchange(seen, me.word(), lock::ACQUIRE).is_ok() {
                return Some(enter(blocks, index, Some(who), sent_as(seen)));
            }
        }
    }
    None
}

/// Makes the block at `index`, which was claimed, this owner's. `sent` is the number under which it was sent.
fn enter(blocks: &impl Blocks, index: u32, from: Option<Ident>, sent: Option<u32>) -> Owned {
    // ORDERING: Relaxed; L2.
    let number = sent.unwrap_or_else(|| blocks.turn(index).load(RELAXED) & NUMBER);
    let mut owned = Owned { index, number, from };
    owned.renew(blocks);
    owned
}

impl Owned {
    /// Makes the bytes this owner's: nobody takes them for those that were sent before. Comes before the first write.
    pub fn renew(&mut self, blocks: &impl Blocks) {
        self.number = next_generation(self.number);
        // ORDERING: Relaxed; L2.
        blocks.turn(self.index).store(self.number, RELAXED);
        // A successor that finds bytes of ours finds this.
        in_order();
    }

    /// Hands the block over with `len` bytes; returns the number under which it is taken. Two or three
    /// stores and a compare-and-swap.
    ///
    /// # Errors
    ///
    /// [`Lost`]; the block is not this participant's any more, or nothing has changed.
    pub fn send(&mut self, blocks: &impl Blocks, me: Ident, len: u32) -> Result<u32, Lost> {
        if next(self.number).is_none() {
            self.renew(blocks);
        }
        // Within its generation.
        let number = self.number + 1;
        // ORDERING: Relaxed, both; published by the state.
        blocks.sender(self.index).store(me.word(), RELAXED);
        blocks.len(self.index).store(len, RELAXED);
        // ORDERING(lock): the bytes and these words are complete before it is seen as sent.
        replace(&blocks.state(self.index), me, SENT | number)?;
        Ok(number)
    }

    /// Gives the block back. One compare-and-swap, or three that fail.
    ///
    /// # Errors
    ///
    /// [`Lost`]; nothing has changed then.
    pub fn give(&self, blocks: &impl Blocks, me: Ident) -> Result<(), Lost> {
        give(&blocks.state(self.index), me)
    }
}

/// How often a change is tried again while the hardware lock is unavailable.
const TRIES: u32 = 3;

/// Replaces this owner's state by another.
fn replace(state: &impl CasWord, me: Ident, by: u32) -> Result<(), Lost> {
    for _ in 0..TRIES {
        // ORDERING(lock): all that the owner has done is ordered before it.
        match state.compare_exchange(me.word(), by, lock::RELEASE) {
            Ok(_) => return Ok(()),
            Err(seen) if seen != me.word() => return Err(Lost::NotOwner),
            Err(_) => {}
        }
    }
    Err(Lost::Stuck)
}

/// Takes the block that was sent as `number`: from the queue, or from a taker that is proven dead and has not written to
/// it. Two loads, one probe and one compare-and-swap at most.
///
/// # Errors
///
/// [`NotTaken`]; nothing has changed then.
pub fn take(
    blocks: &impl Blocks,
    index: u32,
    number: u32,
    me: Ident,
    probe: impl FnOnce(Ident) -> Probe,
) -> Result<Owned, NotTaken> {
    if index >= blocks.count() || number > NUMBER {
        return Err(NotTaken::Impossible);
    }
    let (state, turn) = (blocks.state(index), blocks.turn(index));
    // ORDERING(lock): whoever has sent a block has stored its name before. The compare-and-swap decides.
    let seen = state.load(lock::ACQUIRE);
    let (number, from) = if seen == SENT | number {
        (number, None)
    } else {
        let (number, taker) = of_dead_taker(blocks, index, (seen, number), probe).ok_or(NotTaken::Gone)?;
        // This participant lives, whatever the port says of it.
        if taker == me {
            return Err(NotTaken::Gone);
        }
        (number, Some(taker))
    };
    // L1. ORDERING(lock): the sender's actions are ordered before it is seen as sent.
    match state.compare_exchange(seen, me.word(), lock::ACQUIRE) {
        Ok(_) => {}
        Err(found) if found == seen => return Err(NotTaken::Stuck),
        Err(_) => return Err(NotTaken::Gone),
    }
    // ORDERING: Relaxed; L2.
    turn.store(number, RELAXED);
    Ok(Owned { index, number, from })
}

/// The participant that took the block which was sent as `number`, if that is proven dead and the bytes are still the
/// same (L4); and the number that a new owner has (L3).
fn of_dead_taker(
    blocks: &impl Blocks,
    index: u32,
    (seen, number): (u32, u32),
    probe: impl FnOnce(Ident) -> Probe,
) -> Option<(u32, Ident)> {
    let sent_on = sent_as(seen);
    // ORDERING: Relaxed; published by the state.
    let taker = sent_on.map_or(seen, |_| blocks.sender(index).load(RELAXED));
    let taker = Ident::from_word(taker).filter(|&taker| probe(taker) == Probe::Dead)?;
    // ORDERING: Relaxed; the proof of death synchronises, and nobody else stores here (L2).
    let turn = sent_on.unwrap_or_else(|| blocks.turn(index).load(RELAXED) & NUMBER);
    // The dead owner may have taken the block as the number behind its turn, and not stored that.
    let last = sent_on.or(next(turn)).unwrap_or(turn);
    (turn & !COUNT == number & !COUNT).then_some((last, taker))
}
