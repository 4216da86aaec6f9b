//! What can go wrong with a mutex.

use core::fmt;

use crate::protocol::Violation;
use crate::protocol::mutex::Lost;

/// Why a lock was not had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody has it who lives, or cannot be proven dead.
    Busy,
    /// Somebody had it for the time allowed.
    TimedOut,
    /// This participant has it already, through this handle or another one. Threads that lock need an
    /// attachment each.
    Deadlock,
    /// It was given up with its data unrepaired; [`Mutex::reinitialise`](crate::Mutex::reinitialise) sets them anew.
    Poisoned,
    /// A peer wrote what no honest peer writes.
    Fault(Violation),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("somebody else has the lock"),
            Self::TimedOut => f.write_str("somebody else had the lock for the time allowed"),
            Self::Deadlock => f.write_str("this participant has the lock already; attach once a thread"),
            Self::Poisoned => f.write_str("the lock was given up unrepaired; re-initialise it"),
            Self::Fault(violation) => write!(f, "a peer broke the protocol: {violation}"),
        }
    }
}

impl core::error::Error for LockError {}

/// Why a lock could not be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnlockError {
    /// It is not this participant's (any more). Nothing was changed.
    NotOwner,
    /// A peer kept changing the word. Nothing was changed.
    Fault(Violation),
    /// The [hardware lock](crate::port::Port::hardware_lock), under which two domains change the word, was not to be
    /// had. Nothing was changed: the lock is this participant's until its end.
    HardwareLock,
}

impl From<Lost> for UnlockError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::NotOwner => Self::NotOwner,
            Lost::Impossible => Self::Fault(Violation::State),
            Lost::Stuck => Self::HardwareLock,
        }
    }
}

impl fmt::Display for UnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwner => f.write_str("the lock belongs to somebody else, or to nobody"),
            Self::HardwareLock => f.write_str(
                "the hardware lock was not to be had, so the lock stays taken; free it in the port",
            ),
            Self::Fault(violation) => write!(f, "a peer broke the protocol: {violation}"),
        }
    }
}

impl core::error::Error for UnlockError {}
