//! Floor 1: words in, decisions out. No pointers, no unsafe, no I/O: the models check this code as it is.
//!
//! A protocol works on [`Word`](crate::ground::sync::Word)s that it is given, keeps its private state in
//! a plain struct, and returns positions and lengths. It reads each word of a peer once, checks it, and
//! only then uses it.

pub mod broadcast;
pub mod call;
pub mod cas_word;
pub mod claim;
pub mod compact;
pub mod fanout;
pub mod frames;
pub mod lanes;
pub mod latest;
pub mod local_queue;
pub mod merge;
pub mod mutex;
pub mod observe;
pub mod park;
pub mod permits;
pub mod pool;
pub mod release;
pub mod semaphore;
pub mod slots;
pub mod static_queue;
pub mod table;

/// A peer wrote something that no honest peer writes, or this process has no part in the region any more. The
/// discriminant is the number in the region's fault words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Violation {
    /// A head or tail further from ours than the ring is long, moved backwards, or unaligned.
    Index = 1,
    /// A commit word with an impossible length.
    Length = 2,
    /// A pad where none may be.
    Pad = 3,
    /// A slot's sequence, or a call's ticket, that belongs to neither this lap nor the last.
    Sequence = 4,
    /// More committed frames than the ring can hold.
    Walk = 5,
    /// A lock's word that no honest owner leaves, a count beyond its maximum, or a call's mode or status that
    /// there is not.
    State = 6,
    /// This process is a forked child of the one that opened the region: no peer has done anything. Open the region
    /// anew in the child. Never in a region's fault words, since a child stores into a copy of its own.
    Forked = 7,
}

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Index => "an index out of range",
            Self::Length => "an impossible frame length",
            Self::Pad => "a pad in the wrong place",
            Self::Sequence => "an impossible sequence of a slot, or ticket of a call",
            Self::Walk => "more frames than the ring can hold",
            Self::State => "an impossible state of a lock or a call",
            Self::Forked => "the region was opened before a fork, and this is the child; open it anew here",
        })
    }
}

/// Error of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No space now.
    Full,
    /// It can never fit.
    TooLarge,
    /// The peer broke the protocol.
    Violation(Violation),
}

/// Outcome of a look that found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// There is nothing now.
    Empty,
    /// The peer broke the protocol.
    Violation(Violation),
}
