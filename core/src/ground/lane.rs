//! Lanes: the queues that together are one channel with several producers, or the calls that are one with several
//! clients.

use super::kind::Kind;

/// The flag of a directory entry that describes a lane of a queue. A program that does not know it skips the entry.
pub const LANE: u32 = 1;
/// The flag of a directory entry that describes a client's lane of a channel of calls, likewise skipped. Its numbers
/// are behind those of the answers' type.
pub const CLIENT_LANE: u32 = 4;
/// The most lanes of one channel: a consumer looks at each in turn.
pub const MAX_LANES: u32 = 256;

/// The flag and the place of a lane's three numbers in the entry's words, of a channel of this kind.
pub(crate) const fn place_of(kind: Kind) -> (u32, usize) {
    match kind {
        Kind::Calls => (CLIENT_LANE, 27),
        _ => (LANE, 24),
    }
}

/// Which lane of its channel a directory entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its number, from 0. The entries of a channel's lanes follow each other in this order.
    pub index: u32,
    /// How many lanes the channel has, 1 to 256; 1 is an ordinary queue.
    pub count: u32,
    /// How many of them are urgent: those with the lowest numbers.
    pub urgent: u32,
}

impl Lane {
    /// The only lane of a channel with one producer or client, or of one that cannot have several.
    pub const ONLY: Self = Self { index: 0, count: 1, urgent: 0 };

    /// Whether the channel has others.
    #[must_use]
    pub const fn is_one_of_many(&self) -> bool {
        self.count > 1
    }

    /// Whether the numbers can belong together.
    pub(crate) const fn is_sound(&self) -> bool {
        self.count >= 1 && self.count <= MAX_LANES && self.index < self.count && self.urgent <= self.count
    }
}
