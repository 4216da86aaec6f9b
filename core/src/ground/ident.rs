//! The identity of a participant: a place of the region's table and its epoch.

use core::fmt;

/// One incarnation of one participant, as it stands in owner words.
///
/// Bits 0 to 8 hold the place (1 to 511), bits 9 to 28 its epoch (1 to 2^20 - 1); the word 0 means
/// "nobody". Behind a place's last epoch they begin anew. So an identity may come again after 2^20 - 1 joins
/// of the place, but never while somebody lives as it, or a word of the region still names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ident(u32);

const PLACE_BITS: u32 = 9;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

impl Ident {
    /// The largest place number, and so the most participants a region can have at once.
    pub const MAX_PLACE: u32 = PLACE_MASK;
    /// The largest epoch of a place.
    pub const MAX_EPOCH: u32 = (1 << 20) - 1;

    /// The identity of `place` at `epoch`, or `None` where either is out of range.
    #[must_use]
    pub const fn new(place: u32, epoch: u32) -> Option<Self> {
        if place == 0 || place > Self::MAX_PLACE || epoch == 0 || epoch > Self::MAX_EPOCH {
            return None;
        }
        Some(Self(epoch << PLACE_BITS | place))
    }

    /// Reads an owner word. `None` if it names nobody or is out of range (a peer misbehaves).
    #[must_use]
    pub const fn from_word(word: u32) -> Option<Self> {
        Self::new(word & PLACE_MASK, word >> PLACE_BITS)
    }

    /// The owner word that names this identity; never 0.
    #[must_use]
    pub const fn word(self) -> u32 {
        self.0
    }

    /// The place, from 1.
    #[must_use]
    pub const fn place(self) -> u32 {
        self.0 & PLACE_MASK
    }

    /// The epoch, from 1.
    #[must_use]
    pub const fn epoch(self) -> u32 {
        self.0 >> PLACE_BITS
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ident({}.{})", self.place(), self.epoch())
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.place(), self.epoch())
    }
}
