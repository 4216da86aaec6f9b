//! Errors of a pool.

use core::fmt;

use crate::protocol::Violation;
use crate::protocol::mutex::Lost;
use crate::protocol::pool::NotTaken;

/// Error of a pool's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolError {
    /// Every block is owned or sent by a participant that is not proven dead.
    Empty,
    /// No block came free in the time allowed.
    TimedOut,
    /// The block that was sent under this number is another participant's by now, or was given back.
    Gone,
    /// The block is not this participant's any more: another one has taken it over, which none does while this one
    /// lives.
    NotOwner,
    /// The [hardware lock](crate::port::Port::hardware_lock) of a pool of two domains was unavailable. Try again; a block
    /// that was to be sent or given back stays this participant's until it ends.
    HardwareLock,
    /// A peer wrote what no honest peer writes: a number that leads to no block, or a length that no block has.
    Fault(Violation),
}

impl From<Lost> for PoolError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::NotOwner => Self::NotOwner,
            Lost::Impossible => Self::Fault(Violation::State),
            Lost::Stuck => Self::HardwareLock,
        }
    }
}

impl From<NotTaken> for PoolError {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Impossible => Self::Fault(Violation::Index),
            NotTaken::Gone => Self::Gone,
            NotTaken::Stuck => Self::HardwareLock,
        }
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pool has no free block now; try again later"),
            Self::TimedOut => f.write_str("the pool had no free block in the time allowed"),
            Self::Gone => f.write_str(
                "the block was taken by another participant, or given back, since it was sent; leave this message out",
            ),
            Self::NotOwner => {
                f.write_str("the block belongs to somebody else, or to nobody; nothing was changed")
            }
            Self::HardwareLock => f.write_str(
                "the hardware lock was unavailable, so the block stays as it is; free the hardware lock in the port",
            ),
            Self::Fault(violation) => write!(
                f,
                "a peer broke the pool's protocol: {violation}; check that peer, and make the region anew"
            ),
        }
    }
}

impl core::error::Error for PoolError {}
