//! Following a queue without a role in it: loads alone, and an exact count of what was missed.
//!
//! ```text
//!            head                      tail
//!             |                         |
//!   ..released|unreleased...............|free...    a copy of what is unreleased is whole
//!      ^ may be overwritten: believed only if the producer has not come so far
//! ```
//!
//! The producer waits for its consumer alone, so it may overwrite a message while an observer copies it. After the
//! copy, the observer looks again, and believes it only if one of these holds:
//!
//! - O1. The head is not beyond the message. The producer overwrites nothing that it has not seen released.
//! - O2. The producer is known not to have come around the ring to it. Of slots: the slot before the message's is not
//!   yet published anew, and a producer publishes one slot before it writes the next. Of frames: `mark`, which
//!   is one publication behind at most, is so far from coming around that the frame under way does not reach the
//!   message. This needs a machine on which stores are seen in the order of the program
//!   ([`STORES_IN_ORDER`]); on others an observer goes by O1 alone.
//!
//! A compact queue has no word a slot, and a batch is published by one store: there O1 alone holds, so an observer
//! sees what is not yet released when it comes by.
//!
//! O1 rests on the order that the producer's Acquire load of the head gives its stores, and on a machine on which
//! a store that one core has seen is seen by all. All machines that this crate runs on are such; C11 does not
//! demand it. Of a queue with several consumers the head is the producer's `floor`: a fence is between its store and
//! what the producer overwrites then, while `least`, which is never beyond it, is stored without an order.
//!
//! # Invariants
//!
//! - Positions only go forward, by one message for each that was seen and by as many as are reported missed. Of frames
//!   it is the sequence numbers that tell how many were missed.
//! - A position is never beyond the tail. So one that is was overtaken by a reset of the channel, and the observer starts
//!   anew at the head. Where as many messages as before were sent since, the reset cannot be told.
//!
//! # If a peer misbehaves
//!
//! Positions are masked, lengths checked: what an observer reports of a region that lies is nonsense in bounds, or a
//! [`Violation`]. A look takes a fixed number of loads and one copy.
//!
//! # Used by
//!
//! [`Follower`](crate::observe::Follower).

use crate::ground::geometry::GRANULE;
use crate::ground::offset;
use crate::ground::ring::bytes::Bytes;
use crate::ground::ring::slots::Slots;
use crate::ground::sync::order::{RELAXED, latest_data, publish, release};
use crate::ground::sync::{STORES_IN_ORDER, Word, fence};

use super::Violation;
use super::frames::{Commit, footprint, read_commit};
use super::slots::sequence;

/// The outcome of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing new.
    Empty,
    /// The copy is whole.
    Whole(Whole),
    /// The message at the observer's place was overwritten. The observer has moved on, past so many messages as far
    /// as that is known yet.
    Overtaken(u32),
    /// What no honest peer writes.
    Fault(Violation),
}

/// A message that was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its bytes.
    pub len: u32,
    /// Its tag; 0 of a value.
    pub tag: u32,
    /// Its sequence number.
    pub sequence: u32,
    /// How many before it were missed that no look has reported.
    pub missed: u32,
}

/// The words by which the two sides of a queue tell how far they are.
pub struct Sides<'w> {
    /// The producer's.
    pub mark: &'w Word,
    /// The consumer's; of a queue with several, the producer's `floor`.
    pub head: &'w Word,
}

/// How far `to` is beyond `from`: negative if it is before.
fn ahead(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

impl Sides<'_> {
    /// O1, after a copy of the message at `pos`.
    fn keeps(&self, pos: u32) -> bool {
        // ORDERING: Relaxed; after the caller's fence.
        ahead(pos, self.head.load(RELAXED)) <= 0
    }
}

/// An observer of a queue of values.
#[derive(Debug)]
pub struct Values {
    pos: u32,
}

impl Values {
    /// One whose next value is the first that is not released, or with `newest`, that comes from now on.
    pub fn start(sides: &Sides<'_>, newest: bool) -> Self {
        let word = if newest { sides.mark } else { sides.head };
        // ORDERING: Relaxed; what is at that place is looked at by other words.
        Self { pos: word.load(RELAXED) }
    }

    /// Looks at the next value of a queue of slots, and copies it by `copy` from the position it is given. Six loads
    /// at most, and the copy.
    pub fn look_slots(&mut self, ring: &Slots<[u8]>, sides: &Sides<'_>, copy: impl FnOnce(u32)) -> Look {
        let (pos, capacity) = (self.pos, ring.capacity());
        let due = pos.wrapping_add(1);
        let found = sequence(ring, pos);
        if found != due {
            let laps = ahead(due, found);
            if found != 0 && !laps.unsigned_abs().is_multiple_of(capacity) {
                return Look::Fault(Violation::Sequence);
            }
            return match laps {
                0.. => self.skip(sides, capacity / 2),
                // The slot before was published when this position came up.
                _ if ahead(pos, sequence(ring, pos.wrapping_sub(1))) < 0 => self.start_anew(sides),
                _ => Look::Empty,
            };
        }
        copy(pos);
        fence(latest_data::READER_FENCE); // ORDERING(latest_data): the copy's loads are ordered before the second look.
        // O2: with one slot, the one before is the same.
        let is_far = STORES_IN_ORDER && capacity > 1;
        if sides.keeps(pos) || is_far && sequence(ring, pos.wrapping_sub(1)) == pos {
            return self.advance(ring.size());
        }
        self.skip(sides, capacity / 2)
    }

    /// Looks at the next value of a compact queue, and copies it by `copy` from the position it is given. Four
    /// loads at most, and the copy.
    pub fn look_compact(&mut self, ring: &Slots<[u8]>, sides: &Sides<'_>, copy: impl FnOnce(u32)) -> Look {
        let pos = self.pos;
        // ORDERING(publish): the values were written before the tail.
        let tail = sides.mark.load(publish::LOAD);
        match ahead(pos, tail) {
            0 => return Look::Empty,
            1.. => {}
            _ => {
                // ORDERING(release): a consumer has seen the tail before it moves the head.
                let head = sides.head.load(release::LOAD);
                // ORDERING(publish): as above.
                let is_sound = ahead(head, sides.mark.load(publish::LOAD)) >= 0;
                return if is_sound { self.start_anew(sides) } else { Look::Fault(Violation::Index) };
            }
        }
        copy(pos);
        fence(latest_data::READER_FENCE); // ORDERING(latest_data): as above.
        if sides.keeps(pos) {
            return self.advance(ring.size());
        }
        // ORDERING: Relaxed; only a place to go on at.
        let head = sides.head.load(RELAXED);
        self.move_to(if ahead(head, tail) >= 0 { head } else { tail })
    }

    fn advance(&mut self, len: u32) -> Look {
        let sequence = self.pos;
        self.pos = sequence.wrapping_add(1);
        Look::Whole(Whole { len, tag: 0, sequence, missed: 0 })
    }

    /// Goes back to the head, after a reset.
    fn start_anew(&mut self, sides: &Sides<'_>) -> Look {
        *self = Self::start(sides, false);
        Look::Overtaken(0)
    }

    /// Goes on so far behind the newest value that the producer does not come there soon.
    fn skip(&mut self, sides: &Sides<'_>, behind: u32) -> Look {
        // ORDERING: Relaxed; only a place to go on at.
        self.move_to(sides.mark.load(RELAXED).wrapping_sub(behind))
    }

    /// Moves on: by one value at least, and never back.
    fn move_to(&mut self, place: u32) -> Look {
        let skipped = ahead(self.pos, place).max(1).cast_unsigned();
        self.pos = self.pos.wrapping_add(skipped);
        Look::Overtaken(skipped)
    }
}

/// An observer of a queue of frames.
#[derive(Debug)]
pub struct Frames {
    pos: u32,
    max_len: u32,
    /// The sequence number that comes next, once one was seen.
    due: Option<u32>,
    /// Where the frame seen last starts, if it is the one before `pos`.
    last: Option<u32>,
}

impl Frames {
    /// One whose next frame is the first that is not released, or with `newest`, that comes from now on; where stores
    /// are not seen in order, always the first.
    pub fn start(sides: &Sides<'_>, max_len: u32, newest: bool) -> Self {
        let pos = if newest && STORES_IN_ORDER {
            sides.mark.load(RELAXED) // ORDERING: Relaxed; only where stores are seen in order.
        } else {
            // ORDERING(release): the consumer had seen what is there.
            sides.head.load(release::LOAD)
        };
        Self { pos: pos & !(GRANULE - 1), max_len, due: None, last: None }
    }

    /// Looks at the next frame, and copies its payload by `copy` from the position and of the length it is given.
    /// Eight loads at most, and the copy.
    pub fn look(&mut self, ring: &Bytes, sides: &Sides<'_>, copy: impl FnOnce(u32, u32)) -> Look {
        let found = self.find(ring);
        let mut whole = None;
        if let Ok(Some((pos, len))) = found {
            let (tag, sequence) = (ring.header(pos, offset::TAG).read_plain(), ring.sequence(pos));
            copy(pos, len);
            whole = Some((pos, Whole { len, tag, sequence, missed: 0 }));
        }
        fence(latest_data::READER_FENCE); // ORDERING(latest_data): as for values.
        if !sides.keeps(self.pos) && !self.is_far(ring.capacity(), sides) {
            // ORDERING(release): the consumer had seen what is there.
            self.pos = sides.head.load(release::LOAD) & !(GRANULE - 1);
            self.last = None;
            return Look::Overtaken(0);
        }
        match (found, whole) {
            (Err(violation), _) => Look::Fault(violation),
            (Ok(_), None) if self.is_beyond_the_tail(ring, sides) => {
                *self = Self::start(sides, self.max_len, false);
                Look::Overtaken(0)
            }
            (Ok(_), None) => Look::Empty,
            (Ok(_), Some((pos, mut whole))) => {
                // Numbers that go back are no loss.
                whole.missed = self.due.map_or(0, |due| ahead(due, whole.sequence).max(0).cast_unsigned());
                self.due = Some(whole.sequence.wrapping_add(1));
                self.pos = pos.wrapping_add(footprint(whole.len));
                self.last = Some(pos);
                Look::Whole(whole)
            }
        }
    }

    /// The position and length of the next frame.
    fn find(&self, ring: &Bytes) -> Result<Option<(u32, u32)>, Violation> {
        let commit = |pos| read_commit(ring, pos, ring.capacity(), self.max_len);
        match commit(self.pos)? {
            Commit::Empty => Ok(None),
            Commit::Message { len } => Ok(Some((self.pos, len))),
            Commit::Pad { skip } => {
                let pos = self.pos.wrapping_add(skip);
                match commit(pos)? {
                    Commit::Message { len } => Ok(Some((pos, len))),
                    _ => Err(Violation::Pad),
                }
            }
        }
    }

    /// Whether the channel was reset, where there is no frame at the position: then the one before it is gone, or
    /// `mark`, which is one publication behind the tail at most, is further behind.
    fn is_beyond_the_tail(&self, ring: &Bytes, sides: &Sides<'_>) -> bool {
        // ORDERING: Relaxed; nothing is read but for this word.
        let is_gone = |pos| ring.commit(pos).load(RELAXED) == 0;
        // ORDERING: Relaxed; what is before the position was seen, and `mark` is stored before the next publication.
        let behind = || i64::from(ahead(self.pos, sides.mark.load(RELAXED)));
        self.last.map_or_else(|| behind() < -2 * i64::from(footprint(self.max_len)), is_gone)
    }

    /// O2, after a copy.
    fn is_far(&self, capacity: u32, sides: &Sides<'_>) -> bool {
        // ORDERING: Relaxed; after the caller's fence.
        let mark = i64::from(ahead(self.pos, sides.mark.load(RELAXED)));
        let reach = 4 * i64::from(footprint(self.max_len)) - i64::from(GRANULE);
        STORES_IN_ORDER && mark + reach <= i64::from(capacity)
    }
}
