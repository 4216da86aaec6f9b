//! Errors of a mutex.

use core::fmt;

use crate::protocol::Violation;
use crate::protocol::mutex::Lost;

/// Error of a lock attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// The owner lives, or cannot be proven dead.
    Busy,
    /// The lock was held by others for the whole time allowed.
    TimedOut,
    /// The region was [removed, or made anew](crate::port::Port::is_current), and no other participant is left in it that may
    /// live, so nobody can come to change the value. Of [`wait_for_change`](crate::Mutex::wait_for_change) alone, once a
    /// probe period: a lock that is held has an owner that may live.
    Replaced,
    /// This participant has it already, through this handle or another one. Threads that lock need an
    /// attachment each.
    Deadlock,
    /// The lock was given up with its data unrepaired;
    /// [`Mutex::reinitialise`](crate::Mutex::reinitialise) sets them anew.
    Poisoned,
    /// A peer wrote what no honest peer writes.
    Fault(Violation),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("somebody else has the lock; try again later"),
            Self::TimedOut => f.write_str("somebody else held the lock for the whole time allowed"),
            Self::Replaced => f.write_str(
                "the name of the lock's region leads to another one or to none, and nobody else is left in it to change \
                 the value; open it again",
            ),
            Self::Deadlock => f.write_str("this participant has the lock already; attach once a thread"),
            Self::Poisoned => f.write_str("the lock was given up with its data unrepaired; re-initialise it"),
            Self::Fault(violation) => write!(
                f,
                "a peer broke the lock's protocol: {violation}; check that peer, and make the region anew"
            ),
        }
    }
}

impl core::error::Error for LockError {}

/// Error of an unlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnlockError {
    /// The lock does not belong to this participant (any more). Nothing was changed.
    NotOwner,
    /// A peer kept changing the word. Nothing was changed.
    Fault(Violation),
    /// The [hardware lock](crate::port::Port::hardware_lock), under which two domains change the word,
    /// was unavailable. Nothing was changed: this participant holds the lock until it ends.
    HardwareLock,
    /// An edit in place was broken off by a panic, and no whole value was set since: the lock was given up, and is
    /// poisoned until somebody re-initialises it.
    GivenUp,
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
            Self::NotOwner => f.write_str("the lock belongs to somebody else, or to nobody; nothing was changed"),
            Self::HardwareLock => f.write_str(
                "the hardware lock was unavailable, so the lock stays taken; free the hardware lock in the port",
            ),
            Self::GivenUp => f.write_str(
                "a panic broke an edit in place off, so the lock was given up; set a whole value, or re-initialise it",
            ),
            Self::Fault(violation) => write!(f, "a peer broke the lock's protocol: {violation}; check that peer, and make the region anew"),
        }
    }
}

impl core::error::Error for UnlockError {}
