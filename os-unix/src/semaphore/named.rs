//! The handle.

use core::time::Duration;
use std::ffi::CString;

use nix::errno::Errno;
use nix::libc;

use super::{SemAcquireError, SemOpenError, SemReleaseError};
use super::{sys, value, wait};
use crate::error::{FromCall as _, OsError};
use crate::name;

/// Readable and writable for this user alone.
const PRIVATE: u32 = 0o600;

/// A named semaphore of the operating system (POSIX `sem_open`): a count of permits that any program of
/// the machine can share, also one that knows nothing of this crate.
///
/// The name `"motor"` is the one that others give to `sem_open` as `"/motor"`. A semaphore stays until
/// it is [removed](Self::remove) or the machine restarts. A handle can be used by many threads at once.
///
/// # When not to use it
///
/// **A dead holder's permit does not come back.** The count has no owners: a process that ends between
/// acquire and release, however it ends, takes its permit with it for ever, and nobody can tell. Any
/// program may also release what it never acquired. Between strait's own programs take the robust
/// semaphore of a region.
///
/// # Steps
///
/// [`try_acquire`](Self::try_acquire) and [`release`](Self::release) of one permit make no system call
/// on Linux, but to wake one who waits. [`release`](Self::release) of n takes n steps.
///
/// | state | next |
/// |---|---|
/// | n permits | n - 1, by an acquire; n + 1, by a release |
/// | none | one, by a release; an acquire waits or fails |
/// | the most there can be | one less, by an acquire; a release is an error |
///
/// # If a peer dies
///
/// Its permits are gone. Nothing else happens: who waits is woken by the next release, and times out if
/// there is none.
///
/// # If a peer lies
///
/// Whoever may open the semaphore can take or give any number of permits. On Linux it lies in a file of
/// `/dev/shm`, and who may write to that can also cut it short, which ends others with `SIGBUS`: it is for
/// peers of one trust.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os_unix::NamedSemaphore;
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
pub struct NamedSemaphore(sys::Sem);

impl NamedSemaphore {
    /// Creates the semaphore with `initial` permits, for this user alone.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`]; `AlreadyExists` if there is one of this name.
    pub fn create(name: &str, initial: u32) -> Result<Self, SemOpenError> {
        Self::create_with_mode(name, initial, PRIVATE)
    }

    /// Creates the semaphore with this mode, less what the umask takes away. Both reading and
    /// writing are needed to use it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with_mode(name: &str, initial: u32, mode: u32) -> Result<Self, SemOpenError> {
        if mode & !0o666 != 0 {
            return Err(SemOpenError::Mode { mode });
        }
        make(name, libc::O_EXCL, mode, initial)
    }

    /// Opens the semaphore.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`].
    pub fn open(name: &str) -> Result<Self, SemOpenError> {
        let name = system_name(name)?;
        sys::Sem::open(&name).map(Self).map_err(|error| SemOpenError::new("sem_open", error))
    }

    /// Opens the semaphore, or creates it for this user alone with `initial` permits if it is not there.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`].
    pub fn open_or_create(name: &str, initial: u32) -> Result<Self, SemOpenError> {
        make(name, 0, PRIVATE, initial)
    }

    /// Takes the semaphore's name away. Those who have it open go on with it; newcomers find nothing.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`]; `NotFound` if there is none.
    pub fn remove(name: &str) -> Result<(), SemOpenError> {
        let name = system_name(name)?;
        sys::unlink(&name).map_err(|error| SemOpenError::new("sem_unlink", error))
    }

    /// Takes a permit if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`SemAcquireError::Empty`] if there is none.
    pub fn try_acquire(&self) -> Result<(), SemAcquireError> {
        match self.0.try_wait() {
            Ok(()) => Ok(()),
            // EINTR: some systems say so though nothing is waited for.
            Err(Errno::EAGAIN | Errno::EINTR) => Err(SemAcquireError::Empty),
            Err(error) => Err(SemAcquireError::Os(OsError::nix("sem_trywait", error))),
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
        match wait::wait(&self.0, timeout) {
            Ok(()) => Ok(()),
            Err(Errno::ETIMEDOUT) => Err(SemAcquireError::TimedOut),
            Err(error) => Err(SemAcquireError::Os(OsError::nix("sem_clockwait", error))),
        }
    }

    /// Gives `permits` back, or adds them; n of them in n steps, each seen by others at once.
    ///
    /// # Errors
    ///
    /// [`SemReleaseError`], which says how many were given back: none, if it could be foreseen.
    pub fn release(&self, permits: u32) -> Result<(), SemReleaseError> {
        let room = Self::max().saturating_sub(self.value().unwrap_or(0));
        if permits > room {
            return Err(SemReleaseError::Overflow { released: 0 });
        }
        for released in 0..permits {
            match self.0.post() {
                Ok(()) => {}
                Err(Errno::EOVERFLOW) => return Err(SemReleaseError::Overflow { released }),
                Err(error) => {
                    let error = OsError::nix("sem_post", error);
                    return Err(SemReleaseError::Os { released, error });
                }
            }
        }
        Ok(())
    }

    /// How many permits are left now; `None` where the system does not say (macOS).
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        value::of(&self.0)
    }

    /// The most permits that a semaphore holds on this system.
    #[must_use]
    pub fn max() -> u32 {
        sys::max()
    }
}

fn make(name: &str, flags: i32, mode: u32, initial: u32) -> Result<NamedSemaphore, SemOpenError> {
    let name = system_name(name)?;
    let max = sys::max();
    if initial > max {
        return Err(SemOpenError::Initial { asked: initial, max });
    }
    let made = sys::Sem::create(&name, flags, mode, initial);
    made.map(NamedSemaphore).map_err(|error| SemOpenError::new("sem_open", error))
}

/// The name as `sem_open` takes it.
fn system_name(name: &str) -> Result<CString, SemOpenError> {
    name::check_name(name).map_err(|_| SemOpenError::Name)?;
    CString::new(format!("/{name}")).map_err(|_| SemOpenError::Name)
}
