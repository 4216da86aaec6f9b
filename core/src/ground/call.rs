//! How the places of a channel of calls are laid out: a value, and four words behind it.
//!
//! ```text
//!   request place i, in block A:  | request | ticket | caller   | mode | reserved |   written by the client
//!   answer place i, in block B:   | answer  | taken  | taken_by | done | status   |   written by the server
//! ```
//!
//! The words are the last 16 bytes of a place, so that a small value and its words share a cache line.

use super::geometry::round_up;

/// The most places of a channel: calls of one client that can be out at once.
pub const MAX_PLACES: u32 = 32;
/// Bytes of the words behind a value.
pub const WORDS: u32 = 16;

/// Words of a request: the ticket of the call, stored last.
pub const TICKET: u32 = 0;
/// Words of a request: the client, an identity.
pub const CALLER: u32 = 4;
/// Words of a request: whether an answer is wanted, or the call is withdrawn.
pub const MODE: u32 = 8;
/// Words of an answer: the ticket of the call that was taken last.
pub const TAKEN: u32 = 0;
/// Words of an answer: the server that took it, an identity.
pub const TAKEN_BY: u32 = 4;
/// Words of an answer: the ticket of the call that was done last.
pub const DONE: u32 = 8;
/// Words of an answer: how that call ended.
pub const STATUS: u32 = 12;

/// Bytes from one place to the next for values of `size` bytes.
pub(crate) const fn stride(size: u32, line: u32) -> Option<u32> {
    match size.checked_add(WORDS) {
        Some(used) if line < 64 => round_up(used, 8),
        Some(used) if used <= 64 => Some(used.next_power_of_two()),
        Some(used) => round_up(used, 64),
        None => None,
    }
}
