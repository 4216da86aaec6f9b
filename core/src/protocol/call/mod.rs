//! Calls: requests of one client and the answers of one server, in places that each side alone writes.
//!
//! ```text
//!   place i, the client's:  | request | ticket | caller   | mode | reserved |
//!   place i, the server's:  | answer  | taken  | taken_by | done | status   |
//! ```
//!
//! The call at position p is in place p mod N and has the ticket p + 1. Calls are made, taken and done in the order
//! of their positions. The words of place i, t being the ticket of its newest call:
//!
//! | ticket | taken | done | meaning | next |
//! |---|---|---|---|---|
//! | t - N, or 0 | | | free, if done is the same | ticket = t, by the client |
//! | t | not t | not t | waits | mode = withdrawn, or taken = t |
//! | t | t | not t | the server `taken_by` acts on it, or died | done = t, by it or by its successor |
//! | t | t | t | done, as `status` says | ticket = t + N, once the client has the answer or gave it up |
//!
//! # Invariants
//!
//! - K1. Each word has one writer. The client writes a place only while it is free, but for its mode; the server
//!   writes an answer only between `taken = t` and `done = t`.
//! - K2. Tickets go on over successions of either side, so an answer belongs to the call whose ticket is in `done`,
//!   and to no other. Two calls in one place never have the same ticket within 2^32 calls.
//! - K3. A call is withdrawn by a store of its mode, a fence, and a look at `taken`; taken by a store of `taken`, a
//!   fence, and a look at the mode. So if the client finds the call not taken after it withdrew, every server that
//!   takes it later finds it withdrawn, and does not act (Dekker's argument).
//! - K4. `taken_by` is stored before `taken`. A client that finds its call taken knows by whom, or by whose
//!   successor.
//! - K5. The client's mark is the position of the next call, or one behind it; the server's head is the position of
//!   the first call that is not done, or one behind it. Successors walk from there.
//!
//! # Memory ordering
//!
//! `publish`: the request before its ticket. `call_taken`: K4. `call_withdraw`: K3. `call_done`: the answer, and
//! all reads of the request, before `done`.
//!
//! # If a peer dies
//!
//! A server: what it took and did not do stays taken, and nobody knows whether it ran. Its successor finds that
//! ([`Take::again`]) and decides. What it did not take, the client withdraws for good, or the successor takes.
//! A client: what it published is still served; its successor goes on behind that, and reads no answer of it.
//!
//! # If a peer misbehaves
//!
//! A ticket that belongs neither to this lap nor to the last, or a mode or status that there is not, is a
//! [`Violation`]. A server can lie about what it did; a client can withdraw what has run. Neither can lead the other
//! outside a place, or make it wait without its bound.
//!
//! # Used by
//!
//! [`CallClient`](crate::CallClient) and [`CallServer`](crate::CallServer).

mod client;
mod server;

pub use client::{Client, Room, Withdrawal};
pub use server::{Server, Take};

use super::Violation;

/// Mode: an answer is wanted.
pub const ASKED: u32 = 0;
/// Mode: the client has withdrawn the call.
pub const WITHDRAWN: u32 = 1;
/// Mode: no answer is wanted.
pub const POSTED: u32 = 2;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The answer is in its place.
    Answered,
    /// The server refused it, with a number of its own.
    Refused(u16),
    /// The server found it withdrawn, and did not act.
    Withdrawn,
    /// A server died with it, and its successor did not run it again.
    Interrupted,
}

impl Status {
    /// The status as its word.
    #[must_use]
    pub const fn word(self) -> u32 {
        match self {
            Self::Answered => 1,
            Self::Refused(code) => (code as u32) << 16 | 2,
            Self::Withdrawn => 3,
            Self::Interrupted => 4,
        }
    }

    /// The status of a word; `None` for one that no honest server writes.
    #[must_use]
    pub const fn from_word(word: u32) -> Option<Self> {
        match (word & 0xFFFF, word >> 16) {
            (1, 0) => Some(Self::Answered),
            (2, code) => Some(Self::Refused(code as u16)),
            (3, 0) => Some(Self::Withdrawn),
            (4, 0) => Some(Self::Interrupted),
            _ => None,
        }
    }
}

/// Whether the word `seen` of a place is the `ticket` that comes next there.
///
/// # Errors
///
/// [`Violation::Sequence`] if it is neither that, nor the ticket of the lap before, nor 0.
#[inline(always)]
fn is_reached(seen: u32, ticket: u32, capacity: u32) -> Result<bool, Violation> {
    if seen == ticket {
        Ok(true)
    } else if seen == ticket.wrapping_sub(capacity) || seen == 0 {
        Ok(false)
    } else {
        Err(Violation::Sequence)
    }
}
