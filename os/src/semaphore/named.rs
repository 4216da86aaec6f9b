//! The handle.

use core::time::Duration;

use super::{SemAcquireError, SemOpenError, SemReleaseError};
use crate::check_name;
use crate::sys::semaphore::{Access, Semaphore, bare_name};

/// A named semaphore of the operating system: a count of permits that any program of the machine can share,
/// also one that knows nothing of this crate.
///
/// | | Unix | Windows |
/// | --- | --- | --- |
/// | the name `"motor"` is known to others as | `"/motor"`, given to `sem_open` | `"Local\motor"`, given to `CreateSemaphore`: the session's |
/// | a name of the machine | every name is | `"Global\motor"`, where a service and a desktop program meet |
/// | a semaphore stays | until it is [removed](Self::remove) or the machine restarts | as long as some process has it open |
///
/// A handle can be used by many threads at once.
///
/// # When not to use it
///
/// **A dead holder's permit does not come back.** The count has no owners: a process that ends between
/// acquire and release, however it ends, takes its permit with it for ever, and nobody can tell. Any
/// program may also release what it never acquired. Between strait's own programs take a region's
/// `strait::Permits`, which come back from the dead, or its `strait::Semaphore`.
///
/// # Steps
///
/// [`try_acquire`](Self::try_acquire) and [`release`](Self::release) of one permit make no system call
/// on Linux, except to wake a thread that waits. [`release`](Self::release) of n takes n steps on Unix, and one
/// on Windows.
///
/// | state | next |
/// |---|---|
/// | n permits | n - 1, by an acquire; more, by a release |
/// | none | more, by a release; an acquire waits or fails |
/// | the most there can be | one less, by an acquire; a release is an error |
///
/// # If a peer dies
///
/// Its permits are gone. Nothing else happens: a thread that waits is woken by the next release, and times out
/// if there is none.
///
/// # If a peer misbehaves
///
/// A process that may open the semaphore can take or give any number of permits. On Linux it is a file in
/// `/dev/shm`, and a process that may write to that can also cut it short, which ends others with `SIGBUS`: use it
/// between peers that trust each other.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::NamedSemaphore;
///
/// # let name = &format!("doc-{}", std::process::id());
/// let places = NamedSemaphore::create(name, 2)?;
/// places.acquire_timeout(Duration::from_millis(100))?;
/// places.try_acquire()?;
/// assert!(places.try_acquire().is_err());
/// places.release(2)?;
/// NamedSemaphore::remove(name)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NamedSemaphore(Semaphore);

impl NamedSemaphore {
    /// Creates the semaphore with `initial` permits, for this user alone.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`]; `AlreadyExists` if there is one of this name, `WrongKind` if there is something else.
    pub fn create(name: &str, initial: u32) -> Result<Self, SemOpenError> {
        Self::create_for(name, initial, &Access::PRIVATE)
    }

    /// Creates the semaphore for those whom the system's own way to say so names.
    pub(crate) fn create_for(name: &str, initial: u32, access: &Access) -> Result<Self, SemOpenError> {
        check(name)?;
        check_initial(initial)?;
        Ok(Self(Semaphore::create(name, initial, access)?))
    }

    /// Opens the semaphore.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`].
    pub fn open(name: &str) -> Result<Self, SemOpenError> {
        check(name)?;
        Ok(Self(Semaphore::open(name)?))
    }

    /// Opens the semaphore, or creates it for this user alone with `initial` permits if it is not there.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`].
    pub fn open_or_create(name: &str, initial: u32) -> Result<Self, SemOpenError> {
        check(name)?;
        check_initial(initial)?;
        Ok(Self(Semaphore::open_or_create(name, initial, &Access::PRIVATE)?))
    }

    /// Takes the semaphore's name away. Handles that are open keep working; a later `open` finds nothing.
    ///
    /// On Windows a name cannot be taken away, as it goes with the last handle: there this only checks that
    /// there is such a semaphore.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`]; `NotFound` if there is none.
    pub fn remove(name: &str) -> Result<(), SemOpenError> {
        check(name)?;
        Ok(Semaphore::remove(name)?)
    }

    /// Takes a permit if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`SemAcquireError::Empty`] if there is none.
    pub fn try_acquire(&self) -> Result<(), SemAcquireError> {
        match self.0.try_acquire() {
            Ok(true) => Ok(()),
            Ok(false) => Err(SemAcquireError::Empty),
            Err(error) => Err(SemAcquireError::Os(error)),
        }
    }

    /// Takes a permit, waiting up to `timeout` of the monotonic clock for one. A signal does not end the wait.
    ///
    /// # Errors
    ///
    /// [`SemAcquireError::TimedOut`] if there was none.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<(), SemAcquireError> {
        match self.try_acquire() {
            Err(SemAcquireError::Empty) if !timeout.is_zero() => {}
            Err(SemAcquireError::Empty) => return Err(SemAcquireError::TimedOut),
            other => return other,
        }
        match self.0.acquire(timeout) {
            Ok(true) => Ok(()),
            Ok(false) => Err(SemAcquireError::TimedOut),
            Err(error) => Err(SemAcquireError::Os(error)),
        }
    }

    /// Gives `permits` back, or adds them. On Unix n of them in n steps, each seen by others at once.
    ///
    /// # Errors
    ///
    /// [`SemReleaseError`], with the number that was given back: none, if the error could be foreseen, and none on
    /// Windows.
    pub fn release(&self, permits: u32) -> Result<(), SemReleaseError> {
        Ok(self.0.release(permits)?)
    }

    /// How many permits are left now; `None` where the system does not say (macOS, Windows).
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        self.0.value()
    }

    /// The most permits that a semaphore holds on this system. On Windows one that another program created may
    /// hold fewer.
    #[must_use]
    pub fn max() -> u32 {
        Semaphore::max()
    }
}

fn check(name: &str) -> Result<(), SemOpenError> {
    let name = bare_name(name).ok_or(SemOpenError::Name)?;
    check_name(name).map_err(|_| SemOpenError::Name)
}

fn check_initial(asked: u32) -> Result<(), SemOpenError> {
    let max = NamedSemaphore::max();
    if asked > max { Err(SemOpenError::Initial { asked, max }) } else { Ok(()) }
}
