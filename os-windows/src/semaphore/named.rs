//! The handle.

use core::ptr::null_mut;
use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::ERROR_TOO_MANY_POSTS;
use windows_sys::Win32::System::Threading::{
    CreateSemaphoreW, OpenSemaphoreW, ReleaseSemaphore, SEMAPHORE_MODIFY_STATE, SYNCHRONIZATION_SYNCHRONIZE,
};

use super::{SemAcquireError, SemOpenError, SemReleaseError};
use crate::error::{FromCall as _, OsError};
use crate::object::{self, Waited};
use crate::options::Sddl;
use crate::security::Descriptor;

/// A named semaphore of the operating system: a count of permits that any program of the machine can share,
/// also one that knows nothing of this crate.
///
/// The name `"motor"` is the one that others give to `CreateSemaphore`, in their session's namespace
/// (`Local\`); `"Global\motor"` is the machine's, where a service and a desktop program meet. A semaphore stays
/// as long as some process has it open. A handle can be used by many threads at once.
///
/// # When not to use it
///
/// **A dead holder's permit does not come back.** The count has no owners: a process that ends between
/// acquire and release, however it ends, takes its permit with it for ever, and nobody can tell. Any
/// program may also release what it never acquired. Between strait's own programs take the robust
/// semaphore of a region.
///
/// | state | next |
/// |---|---|
/// | n permits | n - 1, by an acquire; more, by a release |
/// | none | more, by a release; an acquire waits or fails |
/// | the most there can be | one less, by an acquire; a release is an error |
///
/// # If a peer dies
///
/// Its permits are gone. Nothing else happens: who waits is woken by the next release, and times out if
/// there is none.
///
/// # If a peer lies
///
/// Whoever may open the semaphore can take or give any number of permits.
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os_windows::NamedSemaphore;
///
/// let places = NamedSemaphore::create("example-of-semaphore", 2)?;
/// places.acquire_timeout(Duration::from_millis(100))?;
/// places.try_acquire()?;
/// assert!(places.try_acquire().is_err());
/// places.release(2)?;
/// # Ok(())
/// # }
/// # #[cfg(not(windows))] fn main() {}
/// ```
#[derive(Debug)]
pub struct NamedSemaphore(OwnedHandle);

impl NamedSemaphore {
    /// Creates the semaphore with `initial` permits, for this user alone.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`]; `AlreadyExists` if there is one of this name, `WrongKind` if there is something else.
    pub fn create(name: &str, initial: u32) -> Result<Self, SemOpenError> {
        new_only(make(name, initial, &object::private()?)?)
    }

    /// Creates the semaphore with this security descriptor. To use it, others need the rights 0x100002.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with_sddl(name: &str, initial: u32, sddl: &Sddl) -> Result<Self, SemOpenError> {
        let descriptor = Descriptor::parse(sddl.text()).map_err(SemOpenError::Os)?;
        new_only(make(name, initial, &descriptor)?)
    }

    /// Opens the semaphore.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`].
    pub fn open(name: &str) -> Result<Self, SemOpenError> {
        let name = object::name(name)?;
        let rights = SYNCHRONIZATION_SYNCHRONIZE | SEMAPHORE_MODIFY_STATE;
        // SAFETY: the name ends in a zero.
        let handle = unsafe { OpenSemaphoreW(rights, 0, name.as_ptr()) };
        // SAFETY: the call made the handle, and nobody else knows it.
        Ok(Self(unsafe { object::take("OpenSemaphore", handle) }?.0))
    }

    /// Opens the semaphore, or creates it for this user alone with `initial` permits if it is not there.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`].
    pub fn open_or_create(name: &str, initial: u32) -> Result<Self, SemOpenError> {
        match make(name, initial, &object::private()?) {
            // It is there, and does not give all rights: those that are needed it may.
            Err(SemOpenError::NotPermitted) => Self::open(name),
            other => Ok(Self(other?.0)),
        }
    }

    /// Says whether there is one. A name cannot be taken away here: it goes with the last handle.
    ///
    /// # Errors
    ///
    /// [`SemOpenError`]; `NotFound` if there is none.
    pub fn remove(name: &str) -> Result<(), SemOpenError> {
        Self::open(name).map(drop)
    }

    /// Takes a permit if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`SemAcquireError::Empty`] if there is none.
    pub fn try_acquire(&self) -> Result<(), SemAcquireError> {
        self.acquire_timeout(Duration::ZERO).map_err(|error| match error {
            SemAcquireError::TimedOut => SemAcquireError::Empty,
            error => error,
        })
    }

    /// Takes a permit, waiting up to `timeout` of the monotonic clock for one.
    ///
    /// # Errors
    ///
    /// [`SemAcquireError::TimedOut`] if there was none.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<(), SemAcquireError> {
        match object::wait(&self.0, timeout) {
            Ok(Waited::Had | Waited::Abandoned) => Ok(()),
            Ok(Waited::TimedOut) => Err(SemAcquireError::TimedOut),
            Err(error) => Err(SemAcquireError::Os(error)),
        }
    }

    /// Gives `permits` back, or adds them, in one step.
    ///
    /// # Errors
    ///
    /// [`SemReleaseError`]; none were given back then.
    pub fn release(&self, permits: u32) -> Result<(), SemReleaseError> {
        if permits == 0 {
            return Ok(());
        }
        let overflow = SemReleaseError::Overflow { released: 0 };
        let permits = i32::try_from(permits).map_err(|_| overflow)?;
        // SAFETY: the handle is open; the count before is not asked for.
        if unsafe { ReleaseSemaphore(self.0.as_raw_handle(), permits, null_mut()) } != 0 {
            return Ok(());
        }
        let error = OsError::last("ReleaseSemaphore");
        if error.is(ERROR_TOO_MANY_POSTS) {
            return Err(overflow);
        }
        Err(SemReleaseError::Os { released: 0, error })
    }

    /// How many permits are left now: `None`, for the system does not say.
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        None
    }

    /// The most permits that a semaphore holds which this crate has created. Another program's may hold fewer.
    #[must_use]
    pub fn max() -> u32 {
        i32::MAX as u32
    }
}

/// Creates or opens; true if it was there before.
fn make(name: &str, initial: u32, descriptor: &Descriptor) -> Result<(OwnedHandle, bool), SemOpenError> {
    let name = object::name(name)?;
    let max = NamedSemaphore::max();
    if initial > max {
        return Err(SemOpenError::Initial { asked: initial, max });
    }
    let attributes = descriptor.attributes();
    let (initial, max) = (initial as i32, max as i32);
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let handle = unsafe { CreateSemaphoreW(&raw const attributes, initial, max, name.as_ptr()) };
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok(unsafe { object::take("CreateSemaphore", handle) }?)
}

fn new_only((handle, was_there): (OwnedHandle, bool)) -> Result<NamedSemaphore, SemOpenError> {
    if was_there { Err(SemOpenError::AlreadyExists) } else { Ok(NamedSemaphore(handle)) }
}
