//! Floor 1: words in, decisions out. No pointers, no unsafe, no I/O: what the models check, as is.
//!
//! A protocol works on [`Word`](crate::ground::sync::Word)s that it is handed, keeps what is its
//! own in a plain struct, and answers with positions and lengths. Whatever it reads from a peer it
//! reads once, checks, and only then uses.

pub mod cas_word;
pub mod claim;
pub mod compact;
pub mod frames;
pub mod latest;
pub mod mutex;
pub mod park;
pub mod permits;
pub mod release;
pub mod semaphore;
pub mod slots;
pub mod static_queue;
pub mod table;

/// A peer wrote something that no honest peer writes; what it was, by its number in the region's
/// fault words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Violation {
    /// A head or tail further from ours than the ring is long, moved backwards, or unaligned.
    Index = 1,
    /// A commit word with an impossible length.
    Length = 2,
    /// A pad where none may be.
    Pad = 3,
    /// A slot's sequence that belongs to neither this lap nor the last.
    Sequence = 4,
    /// More committed frames than the ring can hold.
    Walk = 5,
    /// A lock's word that no honest owner leaves, or a count beyond its maximum.
    State = 6,
}

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Index => "an index out of range",
            Self::Length => "an impossible frame length",
            Self::Pad => "a pad in the wrong place",
            Self::Sequence => "an impossible slot sequence",
            Self::Walk => "more frames than the ring can hold",
            Self::State => "an impossible state of a lock",
        })
    }
}

/// Why a reservation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No space now.
    Full,
    /// It can never fit.
    TooLarge,
    /// The peer lied.
    Violation(Violation),
}

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// There is nothing now.
    Empty,
    /// The peer lied.
    Violation(Violation),
}
