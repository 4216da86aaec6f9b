//! Frames of varying length in a byte ring, published in the slot.
//!
//! ```text
//!         head                         tail
//!          |                            |
//!   ...free|hdr payload..|hdr payload...|0000|free...          capacity bytes
//!           ^ commit = READY|len         ^ commit = 0 until the next frame is published
//! ```
//!
//! | commit word | meaning | next |
//! |---|---|---|
//! | 0 | nothing here yet | `READY` + length, or `PAD`, by the producer |
//! | `READY` + length | a frame of that many payload bytes | overwritten a lap later, once released |
//! | `PAD` | skip to the ring's start | as above |
//!
//! # Invariants
//!
//! - B1. The commit word at the tail is 0: the producer clears the header after a frame before it
//!   publishes the frame. So a walk over commit words ends at the tail.
//! - B2. One granule beyond the published frames always stays free for that cleared header.
//! - B3. No frame straddles the ring's end. A pad goes there, never at offset 0, at most one before
//!   a frame; frame and pad become visible by one store.
//! - B4. `mark` is the tail, or one publication behind it, and `mark_sequence` is stored before it.
//!   So a successor that walks from `mark` finds the tail, and the sequence: from the last frame it
//!   passed, or from `mark_sequence` if it passed none.
//!
//! # Memory ordering
//!
//! `publish`: the commit word's store is the only one that publishes. Everything else the producer
//! stores before it: the next header's 0, the frame's header and payload, and of a padded frame its
//! own commit word.
//!
//! # If a peer dies
//!
//! Producer before the commit store: the frame does not exist. After it: the frame is delivered,
//! and B4 finds it. Consumer: its successor starts at the head in the region and receives again the
//! frames not released there.
//!
//! # If a peer misbehaves
//!
//! A length beyond the channel's maximum or the ring's end, a second pad, a pad at offset 0, a head
//! out of range: [`Violation`]. A length or payload that changes is read once, and that value is used.
//!
//! # Source
//!
//! The cleared-next-header ring is Aeron's log buffer idea (length word as commit flag), here with
//! one reader that never writes back.
//!
//! # Used by
//!
//! [`Producer`](crate::Producer) with [`Grant`](crate::Grant), and [`Consumer`](crate::Consumer) with
//! [`Peek`](crate::Peek).

use crate::ground::geometry::GRANULE;
use crate::ground::ring::bytes::Bytes;
use crate::ground::sync::order::{RELAXED, publish};
use crate::ground::sync::{Word, WordRef, in_order};

use super::release::{LazyHead, Space};
use super::{Nothing, Refused, Violation};

/// Set in the commit word of a frame; the other bits are its length.
pub const READY: u32 = 1 << 31;
/// The commit word of a pad.
pub const PAD: u32 = READY | (READY - 1);

/// Bytes that a frame of `len` payload bytes takes in the ring.
#[inline]
#[must_use]
pub const fn footprint(len: u32) -> u32 {
    GRANULE + len.div_ceil(GRANULE) * GRANULE
}

/// The words in block A by which a successor finds the tail (B4); the producer's own.
pub struct Marks {
    /// The tail, or one publication behind it.
    pub mark: WordRef,
    /// The sequence number of the frame that comes at `mark`.
    pub sequence: WordRef,
}

impl Marks {
    /// Stores both, in the order that B4 asks for.
    #[inline(always)]
    fn store(&self, tail: u32, sequence: u32) {
        // ORDERING: Relaxed, both; read by a successor alone, which synchronises with our end.
        self.sequence.store(sequence, RELAXED);
        in_order();
        self.mark.store(tail, RELAXED);
    }
}

/// The producer's private state.
pub struct Producer {
    /// The space accounts.
    pub space: Space,
    marks: Marks,
    /// The longest payload.
    max_len: u32,
    /// The sequence number that the next frame will have.
    sequence: u32,
}

/// Space for a frame, not yet visible to anyone.
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    /// The frame's position.
    pub pos: u32,
    /// The payload bytes reserved.
    pub len: u32,
    /// The sequence number that the frame will have.
    pub sequence: u32,
}

impl Producer {
    /// Takes the role up where the last producer left it, cleanly or not: at most one step a
    /// granule of the ring. Brings `mark` up to date.
    ///
    /// # Errors
    ///
    /// [`Violation`] if the words in the region contradict each other.
    pub fn adopt(
        ring: &Bytes,
        marks: Marks,
        head: &Word,
        max_len: u32,
        highest: u32,
    ) -> Result<Self, Violation> {
        let capacity = ring.capacity();
        // ORDERING: Relaxed; claiming the role has synchronised with the last producer's end.
        let mut tail = marks.mark.load(RELAXED);
        let mut sequence = marks.sequence.load(RELAXED);
        if !tail.is_multiple_of(GRANULE) {
            return Err(Violation::Index);
        }
        let start = tail;
        loop {
            match read_commit(ring, tail, capacity, max_len)? {
                Commit::Empty => break,
                Commit::Pad { skip } => tail = tail.wrapping_add(skip),
                Commit::Message { len } => {
                    sequence = ring.sequence(tail).wrapping_add(1);
                    tail = tail.wrapping_add(footprint(len));
                }
            }
            if tail.wrapping_sub(start) > capacity {
                return Err(Violation::Walk);
            }
        }
        let space = Space::adopt(tail, head, capacity, GRANULE, highest)?;
        marks.store(tail, sequence);
        Ok(Self { space, marks, max_len, sequence })
    }

    /// The place of the next frame, of `len` bytes, and how many units must be free for it.
    ///
    /// # Errors
    ///
    /// [`Refused::TooLarge`].
    #[inline(always)]
    pub fn next(&self, len: u32) -> Result<(Reservation, u32), Refused> {
        if len > self.max_len {
            return Err(Refused::TooLarge);
        }
        let need = footprint(len);
        let (tail, capacity) = (self.space.tail(), self.space.capacity());
        let to_end = capacity - (tail & (capacity - 1));
        let pad = if need > to_end { to_end } else { 0 };
        let slot = Reservation { pos: tail.wrapping_add(pad), len, sequence: self.sequence };
        Ok((slot, pad + need + GRANULE))
    }

    /// Publishes the frame, of `len` bytes at most as many as were reserved, whose header and
    /// payload the caller has written. Four stores, five with a pad.
    #[inline(always)]
    pub fn commit(&mut self, ring: &Bytes, slot: Reservation, len: u32) {
        let next = slot.pos.wrapping_add(footprint(len.min(slot.len)));
        // B1, B2. ORDERING: Relaxed; published by the store below.
        ring.commit(next).store(0, RELAXED);
        let commit = READY | len.min(slot.len);
        if slot.pos == self.space.tail() {
            // ORDERING(publish): header and payload are ordered before it.
            ring.commit(slot.pos).store(commit, publish::STORE);
        } else {
            // ORDERING: Relaxed; nobody looks there before the pad is published (B3).
            ring.commit(slot.pos).store(commit, RELAXED);
            // ORDERING(publish): the frame behind the pad is ordered before it.
            ring.commit(self.space.tail()).store(PAD, publish::STORE);
        }
        self.space.advance_to(next);
        self.sequence = slot.sequence.wrapping_add(1);
        in_order();
        // The next publication's store comes after it.
        self.marks.store(next, self.sequence);
    }

    /// The sequence number that the next frame will have.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.sequence
    }

    /// Sets the sequence number that the next frame will have.
    pub fn set_next_sequence(&mut self, sequence: u32) {
        self.sequence = sequence;
    }
}

/// The checked content of a commit word.
pub(super) enum Commit {
    Empty,
    Pad { skip: u32 },
    Message { len: u32 },
}

#[inline]
pub(super) fn read_commit(ring: &Bytes, pos: u32, capacity: u32, max_len: u32) -> Result<Commit, Violation> {
    // ORDERING(publish): the frame was written before its commit word.
    check_commit(ring.commit(pos).load(publish::LOAD), pos, capacity, max_len)
}

/// The position behind the frame or pad at `pos`, if one is published there.
pub(crate) fn after(ring: &Bytes, pos: u32, max_len: u32) -> Option<u32> {
    match read_commit(ring, pos, ring.capacity(), max_len) {
        Ok(Commit::Message { len }) => Some(pos.wrapping_add(footprint(len))),
        Ok(Commit::Pad { skip }) => Some(pos.wrapping_add(skip)),
        Ok(Commit::Empty) | Err(_) => None,
    }
}

/// Checks the commit word that was read at `pos`.
#[inline]
fn check_commit(word: u32, pos: u32, capacity: u32, max_len: u32) -> Result<Commit, Violation> {
    if word == 0 {
        return Ok(Commit::Empty);
    }
    let place = pos & (capacity - 1);
    let to_end = capacity - place;
    if word == PAD {
        return if place == 0 { Err(Violation::Pad) } else { Ok(Commit::Pad { skip: to_end }) };
    }
    let len = word & !READY;
    if word & READY == 0 || len > max_len || footprint(len) > to_end {
        return Err(Violation::Length);
    }
    Ok(Commit::Message { len })
}

/// The consumer's private state.
#[derive(Debug)]
pub struct Consumer {
    head: LazyHead,
    capacity: u32,
    max_len: u32,
    /// The length of the frame seen last, predicted for the next one.
    predicted: Predicted,
    /// Frames received since the head was stored, including one that is still in use.
    since: u32,
    /// The maximum of that: B, and one more if a frame stays in use until the next call.
    limit: u32,
    /// All ones if a frame stays in use until the next call, else 0.
    hold_mask: u32,
}

/// The content of a commit word.
#[derive(Clone, Copy, Debug)]
struct Predicted {
    word: u32,
    len: u32,
    footprint: u32,
}

/// A frame that was found, not yet released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The position of its header.
    pub pos: u32,
    /// Its payload bytes, checked against the channel's maximum and the ring's end.
    pub len: u32,
    /// Units up to its end, a pad before it included.
    advance: u32,
}

impl Consumer {
    /// Takes the role up where the last consumer left it. `release_every` is B: how many released frames the
    /// region need not know of.
    ///
    /// # Errors
    ///
    /// [`Violation::Index`] if the head in the region is unaligned.
    pub fn adopt(
        head: &Word,
        capacity: u32,
        max_len: u32,
        release_every: u32,
        hold_last: bool,
    ) -> Result<Self, Violation> {
        let head = LazyHead::adopt(head, GRANULE, capacity / 4, false);
        if !head.pos().is_multiple_of(GRANULE) {
            return Err(Violation::Index);
        }
        let limit = release_every.max(1).saturating_add(u32::from(hold_last));
        let hold_mask = if hold_last { u32::MAX } else { 0 };
        let predicted = Predicted { word: READY, len: 0, footprint: GRANULE };
        Ok(Self { head, capacity, max_len, predicted, since: 0, limit, hold_mask })
    }

    /// The next frame, if there is one: one load, two after a pad.
    ///
    /// # Errors
    ///
    /// [`Nothing`].
    #[inline(always)]
    pub fn look(&mut self, ring: &Bytes) -> Result<Found, Nothing> {
        let pos = self.head.pos();
        // ORDERING(publish): the frame was written before its commit word.
        let word = ring.commit(pos).load(publish::LOAD);
        // A frame as long as the last one. The branch matters: the next frame's position then follows
        // from the predicted length, and need not wait for the load of this frame's length.
        let predicted = self.predicted;
        if word == predicted.word && predicted.footprint <= self.capacity - (pos & (self.capacity - 1)) {
            return Ok(Found { pos, len: predicted.len, advance: predicted.footprint });
        }
        let found = self.check(ring, word)?;
        self.predicted =
            Predicted { word: READY | found.len, len: found.len, footprint: footprint(found.len) };
        Ok(found)
    }

    #[inline]
    fn check(&self, ring: &Bytes, word: u32) -> Result<Found, Nothing> {
        let pos = self.head.pos();
        match check_commit(word, pos, self.capacity, self.max_len) {
            Ok(Commit::Message { len }) => Ok(Found { pos, len, advance: footprint(len) }),
            Ok(Commit::Empty) => Err(Nothing::Empty),
            Ok(Commit::Pad { skip }) => {
                let pos = pos.wrapping_add(skip);
                match read_commit(ring, pos, self.capacity, self.max_len) {
                    Ok(Commit::Message { len }) => Ok(Found { pos, len, advance: skip + footprint(len) }),
                    // A pad is never visible without its frame (B3).
                    Ok(_) => Err(Nothing::Violation(Violation::Pad)),
                    Err(violation) => Err(Nothing::Violation(violation)),
                }
            }
            Err(violation) => Err(Nothing::Violation(violation)),
        }
    }

    /// Whether a frame (or a violation) comes next. One load.
    #[must_use]
    pub fn has_more(&self, ring: &Bytes) -> bool {
        // ORDERING(publish): as in `look`.
        ring.commit(self.head.pos()).load(publish::LOAD) != 0
    }

    /// Moves past a frame; returns whether the head must be stored now.
    #[inline(always)]
    #[must_use]
    pub fn advance(&mut self, found: &Found) -> bool {
        self.since += 1;
        self.head.advance_by(found.advance, found.advance & self.hold_mask) || self.since >= self.limit
    }

    /// Everything received is done with; returns whether the head must be stored now.
    #[inline]
    #[must_use]
    pub fn release(&mut self) -> bool {
        self.head.release() || self.since + (self.hold_mask & 1) >= self.limit
    }

    /// Stores the head.
    #[inline]
    pub fn store(&mut self, head: &Word) {
        self.head.store(head);
        self.since = u32::from(self.head.holds());
    }

    /// The position accounts, to look at.
    #[inline(always)]
    #[must_use]
    pub fn head_ref(&self) -> &LazyHead {
        &self.head
    }
}
