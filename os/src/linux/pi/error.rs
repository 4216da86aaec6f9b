//! Errors of the mutex: one enum per operation.

use core::fmt;

use crate::sys::pi::Failed;
use crate::{CreateError, NameError, OpenError, OsError};

/// Error of creating or opening a mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PiOpenError {
    /// The name cannot be one, or there is no place for named things.
    Name(NameError),
    /// The kernel has no `FUTEX_LOCK_PI2`.
    Unsupported,
    /// It is not there.
    NotFound,
    /// It is there, but may not be opened.
    Open(OpenError),
    /// It is not there, and could not be created.
    Create(CreateError),
    /// It comes and goes: whenever it was opened it was gone, whenever it was created it was there.
    Contended,
    /// The options ask for a read-only mapping, through which nothing can be locked.
    ReadOnly,
    /// The file of that name is no mutex, or one of another version.
    NotAMutex,
    /// It was created in another PID namespace, where thread ids mean other threads.
    OtherNamespace {
        /// The inode of the namespace it was created in.
        theirs: u64,
        /// The inode of this process's namespace.
        ours: u64,
    },
    /// It has been opened too often: every identity is used up.
    Exhausted,
    /// Some other error of the system.
    Os(OsError),
}

impl From<NameError> for PiOpenError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<Failed> for PiOpenError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unsupported => Self::Unsupported,
            Failed::ReadOnly => Self::ReadOnly,
            Failed::Open(failed) => OpenError::from(failed).into(),
            Failed::Create(failed) => Self::Create(failed.into()),
            Failed::NotAMutex => Self::NotAMutex,
            Failed::OtherNamespace { theirs, ours } => Self::OtherNamespace { theirs, ours },
            Failed::Exhausted => Self::Exhausted,
            Failed::Os(error) => Self::Os(error),
        }
    }
}

impl From<OpenError> for PiOpenError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotFound => Self::NotFound,
            OpenError::Os(error) => Self::Os(error),
            other => Self::Open(other),
        }
    }
}

impl fmt::Display for PiOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Unsupported => f.write_str(
                "the kernel has no FUTEX_LOCK_PI2; use Linux 5.14 or newer, or the ordinary mutex",
            ),
            Self::NotFound => f.write_str("there is no such mutex; create it first"),
            Self::Open(error) => error.fmt(f),
            Self::Create(error) => error.fmt(f),
            Self::Contended => {
                f.write_str("the mutex is created and removed all the time; stop one of the two")
            }
            Self::ReadOnly => f.write_str("a mutex cannot be used read-only; leave that option out"),
            Self::NotAMutex => {
                f.write_str("the file of that name is no mutex of this version; take another name")
            }
            Self::OtherNamespace { theirs, ours } => write!(
                f,
                "the mutex was created in PID namespace {theirs}, this is {ours}; run both in one, or remove it \
                 and create it anew"
            ),
            Self::Exhausted => {
                f.write_str("the mutex has been opened too often; remove it and create it anew")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PiOpenError {}

/// Error of a lock attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PiLockError {
    /// Another thread holds it, and is alive or cannot be proven dead.
    Busy,
    /// Somebody else held it for the whole time-out.
    TimedOut,
    /// This thread holds it already, through this handle or another one; or its owner waits, perhaps through
    /// other threads, for a mutex that this thread holds.
    Deadlock,
    /// It was given up with its data unrepaired; [`lock_poisoned_timeout`] takes it all the same.
    ///
    /// [`lock_poisoned_timeout`]: super::PiMutex::lock_poisoned_timeout
    Poisoned,
    /// The thread that locked it has ended, but its handle lives on in some process.
    Abandoned,
    /// A peer wrote what no honest peer writes.
    Fault,
    /// This process is a forked child of the one that opened the handle.
    Forked,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for PiLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("another thread holds the mutex; try again later"),
            Self::TimedOut => f.write_str("another thread held the mutex for the whole time-out"),
            Self::Deadlock => f.write_str(
                "this thread holds the mutex, or another one that its owner waits for; unlock first",
            ),
            Self::Poisoned => f.write_str("the mutex was given up unrepaired; take it poisoned, and repair"),
            Self::Abandoned => {
                f.write_str("the owner's thread ended without unlocking; drop its handle, or end its process")
            }
            Self::Fault => {
                f.write_str("a peer broke the mutex; end those that use it, remove it and create it anew")
            }
            Self::Forked => f.write_str("the mutex was opened before a fork; open it anew in the child"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PiLockError {}

/// Error of an unlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PiUnlockError {
    /// It is not this thread's (any more). Nothing was changed.
    NotOwner,
    /// Some other error of the system. Only a peer that broke the mutex can cause it.
    Os(OsError),
}

impl fmt::Display for PiUnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwner => {
                f.write_str("the mutex is free, or another thread holds it; nothing was changed")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PiUnlockError {}
