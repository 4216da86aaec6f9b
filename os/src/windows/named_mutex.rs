//! The operating system's named mutex: for meeting programs that use it. Only on Windows.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use strait_os_base::object::OpenFailure;

use crate::sys::mutex::{Access, Mutex, Waited, bare_name};
use crate::{OsError, check_name};

use super::Sddl;

/// A named mutex of the operating system, which any program of the machine can share, also one that knows
/// nothing of this crate. It guards what its users agree on.
///
/// The name `"motor"` is the one that others give to `CreateMutex`, in their session's namespace (`Local\`);
/// `"Global\motor"` is the machine's, where a service and a desktop program meet. A mutex stays as long as some
/// process has it open. A thread that locks it again through a second handle gets it again, as the system
/// has it; one handle cannot be locked twice.
///
/// # When not to use it
///
/// Between strait's own programs take the mutex of a region: it takes no call of the system while nobody waits,
/// knows a dead process from a dead thread, and a value in it is old or new, never half.
///
/// # If a peer dies
///
/// The next lock is [`NamedMutexLock::Abandoned`], once.
///
/// # If a peer misbehaves
///
/// A process that may open the mutex can keep it for ever: every wait has a time-out.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::{NamedMutex, NamedMutexLock};
///
/// let mut motor = NamedMutex::open_or_create("example-of-mutex")?;
/// match motor.lock_timeout(Duration::from_secs(10))? {
///     NamedMutexLock::Held(_guard) => { /* work */ }
///     NamedMutexLock::Abandoned(_guard) => { /* look after what was left half-done, then work */ }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NamedMutex(Mutex);

impl NamedMutex {
    /// Creates the mutex, free, for this user alone.
    ///
    /// # Errors
    ///
    /// [`MutexOpenError`]; `AlreadyExists` if there is one of this name, `WrongKind` if there is something
    /// else.
    pub fn create(name: &str) -> Result<Self, MutexOpenError> {
        check(name)?;
        Ok(Self(Mutex::create(name, &Access::PRIVATE)?))
    }

    /// Creates the mutex with this security descriptor. To use it, others need the rights 0x100001.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with_sddl(name: &str, sddl: &Sddl) -> Result<Self, MutexOpenError> {
        check(name)?;
        Ok(Self(Mutex::create(name, &Access::of_sddl(sddl.text()))?))
    }

    /// Opens the mutex.
    ///
    /// # Errors
    ///
    /// [`MutexOpenError`].
    pub fn open(name: &str) -> Result<Self, MutexOpenError> {
        check(name)?;
        Ok(Self(Mutex::open(name)?))
    }

    /// Opens the mutex, or creates it for this user alone if it is not there.
    ///
    /// # Errors
    ///
    /// [`MutexOpenError`].
    pub fn open_or_create(name: &str) -> Result<Self, MutexOpenError> {
        check(name)?;
        Ok(Self(Mutex::open_or_create(name, &Access::PRIVATE)?))
    }

    /// Locks the mutex if it is free. Never waits.
    ///
    /// # Errors
    ///
    /// [`MutexLockError`]; `Busy` if it is not.
    pub fn try_lock(&mut self) -> Result<NamedMutexLock<'_>, MutexLockError> {
        self.lock_timeout(Duration::ZERO).map_err(|error| match error {
            MutexLockError::TimedOut => MutexLockError::Busy,
            error => error,
        })
    }

    /// Locks the mutex, waiting up to `timeout` of the monotonic clock for it.
    ///
    /// # Errors
    ///
    /// [`MutexLockError`]; `TimedOut` if somebody else held it all the time.
    pub fn lock_timeout(&mut self, timeout: Duration) -> Result<NamedMutexLock<'_>, MutexLockError> {
        match self.0.lock(timeout) {
            Ok(Waited::Had) => Ok(NamedMutexLock::Held(NamedMutexGuard::new(&self.0))),
            Ok(Waited::Abandoned) => Ok(NamedMutexLock::Abandoned(NamedMutexGuard::new(&self.0))),
            Ok(Waited::TimedOut) => Err(MutexLockError::TimedOut),
            Err(error) => Err(MutexLockError::Os(error)),
        }
    }
}

fn check(name: &str) -> Result<(), MutexOpenError> {
    let name = bare_name(name).ok_or(MutexOpenError::Name)?;
    check_name(name).map_err(|_| MutexOpenError::Name)
}

/// The mutex, held, and what is known of the thread that held it before.
#[derive(Debug)]
#[must_use = "the mutex is given back when this is dropped"]
pub enum NamedMutexLock<'a> {
    /// It was free.
    Held(NamedMutexGuard<'a>),
    /// The thread that held it has ended without giving it back; its process may live on. What the mutex guards
    /// may be half-done. The system reports it once: the next one to lock gets `Held`.
    Abandoned(NamedMutexGuard<'a>),
}

impl<'a> NamedMutexLock<'a> {
    /// The guard, whatever happened before.
    pub fn into_guard(self) -> NamedMutexGuard<'a> {
        match self {
            Self::Held(guard) | Self::Abandoned(guard) => guard,
        }
    }
}

/// Gives the mutex back when it is dropped, whatever happens. The system counts it as this thread's, so the
/// guard cannot go to another.
#[derive(Debug)]
#[must_use = "the mutex is given back when this is dropped"]
pub struct NamedMutexGuard<'a> {
    mutex: &'a Mutex,
    _thread: PhantomData<*const ()>,
}

impl<'a> NamedMutexGuard<'a> {
    /// Of a mutex that this thread has just been given.
    fn new(mutex: &'a Mutex) -> Self {
        Self { mutex, _thread: PhantomData }
    }

    /// Gives the mutex back.
    ///
    /// # Errors
    ///
    /// [`MutexLockError::Os`], `ERROR_NOT_OWNER` (288) if it was not this thread's any more, because
    /// it was given back through another handle.
    pub fn unlock(self) -> Result<(), MutexLockError> {
        let mutex = self.mutex;
        core::mem::forget(self);
        mutex.unlock().map_err(MutexLockError::Os)
    }
}

impl Drop for NamedMutexGuard<'_> {
    fn drop(&mut self) {
        let _ = self.mutex.unlock();
    }
}

/// Why a mutex could not be created or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MutexOpenError {
    /// The name cannot be one.
    Name,
    /// There is a mutex of this name already. It was left as it is.
    AlreadyExists,
    /// There is none of this name.
    NotFound,
    /// This user may not.
    NotPermitted,
    /// The name belongs to an object of another kind: a semaphore, an event, a section.
    WrongKind,
    /// No space, or no further mutex.
    NoSpace,
    /// Some other error of the system.
    Os(OsError),
}

impl From<OpenFailure> for MutexOpenError {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::Name => Self::Name,
            OpenFailure::AlreadyExists => Self::AlreadyExists,
            OpenFailure::NotFound | OpenFailure::NoDirectory => Self::NotFound,
            OpenFailure::NotPermitted => Self::NotPermitted,
            OpenFailure::WrongKind => Self::WrongKind,
            OpenFailure::NoSpace => Self::NoSpace,
            OpenFailure::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for MutexOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "a mutex's name has 1 to 200 bytes, no slash or control character, no dot in front, and no \
                 backslash but that of Local\\ or Global\\",
            ),
            Self::AlreadyExists => {
                f.write_str("a mutex of this name exists already; open it, or take another name")
            }
            Self::NotFound => f.write_str("there is no such mutex; create it first"),
            Self::NotPermitted => f.write_str("the mutex does not let this user in; run as its owner"),
            Self::WrongKind => {
                f.write_str("the name belongs to an object of another kind; take another name")
            }
            Self::NoSpace => f.write_str("no space for a further mutex; close some"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MutexOpenError {}

/// Why the mutex was not locked, or not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MutexLockError {
    /// Another thread holds it now.
    Busy,
    /// Another thread held it for the whole time-out.
    TimedOut,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for MutexLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("another thread holds the mutex; try again later"),
            Self::TimedOut => f.write_str("another thread held the mutex for the whole time-out"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MutexLockError {}
