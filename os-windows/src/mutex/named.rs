//! The handle.

use core::time::Duration;
use std::os::windows::io::OwnedHandle;

use windows_sys::Win32::System::Threading::{
    CreateMutexW, MUTEX_MODIFY_STATE, OpenMutexW, SYNCHRONIZATION_SYNCHRONIZE,
};

use super::error::{MutexLockError, MutexOpenError};
use super::guard::{NamedMutexGuard, NamedMutexLock};
use crate::object::{self, Waited};
use crate::options::Sddl;
use crate::security::Descriptor;

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
/// Who locks next gets [`NamedMutexLock::Abandoned`], once.
///
/// # If a peer lies
///
/// Whoever may open the mutex can keep it for ever: every wait has a time-out.
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os_windows::{NamedMutex, NamedMutexLock};
///
/// let mut motor = NamedMutex::open_or_create("example-of-mutex")?;
/// match motor.lock_timeout(Duration::from_secs(10))? {
///     NamedMutexLock::Held(_guard) => { /* work */ }
///     NamedMutexLock::Abandoned(_guard) => { /* look after what was left half-done, then work */ }
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(windows))] fn main() {}
/// ```
#[derive(Debug)]
pub struct NamedMutex(OwnedHandle);

impl NamedMutex {
    /// Creates the mutex, free, for this user alone.
    ///
    /// # Errors
    ///
    /// [`MutexOpenError`]; `AlreadyExists` if there is one of this name, `WrongKind` if there is something
    /// else.
    pub fn create(name: &str) -> Result<Self, MutexOpenError> {
        new_only(make(name, &object::private()?)?)
    }

    /// Creates the mutex with this security descriptor. To use it, others need the rights 0x100001.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with_sddl(name: &str, sddl: &Sddl) -> Result<Self, MutexOpenError> {
        let descriptor = Descriptor::parse(sddl.text()).map_err(MutexOpenError::Os)?;
        new_only(make(name, &descriptor)?)
    }

    /// Opens the mutex.
    ///
    /// # Errors
    ///
    /// [`MutexOpenError`].
    pub fn open(name: &str) -> Result<Self, MutexOpenError> {
        let name = object::name(name)?;
        // SAFETY: the name ends in a zero.
        let handle =
            unsafe { OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE | MUTEX_MODIFY_STATE, 0, name.as_ptr()) };
        // SAFETY: the call made the handle, and nobody else knows it.
        Ok(Self(unsafe { object::take("OpenMutex", handle) }?.0))
    }

    /// Opens the mutex, or creates it for this user alone if it is not there.
    ///
    /// # Errors
    ///
    /// [`MutexOpenError`].
    pub fn open_or_create(name: &str) -> Result<Self, MutexOpenError> {
        match make(name, &object::private()?) {
            // It is there, and does not give all rights: those that are needed it may.
            Err(MutexOpenError::NotPermitted) => Self::open(name),
            other => Ok(Self(other?.0)),
        }
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
    /// [`MutexLockError`]; `TimedOut` if somebody else had it all the time.
    pub fn lock_timeout(&mut self, timeout: Duration) -> Result<NamedMutexLock<'_>, MutexLockError> {
        match object::wait(&self.0, timeout) {
            Ok(Waited::Had) => Ok(NamedMutexLock::Held(NamedMutexGuard::new(&self.0))),
            Ok(Waited::Abandoned) => Ok(NamedMutexLock::Abandoned(NamedMutexGuard::new(&self.0))),
            Ok(Waited::TimedOut) => Err(MutexLockError::TimedOut),
            Err(error) => Err(MutexLockError::Os(error)),
        }
    }
}

/// Creates or opens; true if it was there before.
fn make(name: &str, descriptor: &Descriptor) -> Result<(OwnedHandle, bool), MutexOpenError> {
    let name = object::name(name)?;
    let attributes = descriptor.attributes();
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let handle = unsafe { CreateMutexW(&raw const attributes, 0, name.as_ptr()) };
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok(unsafe { object::take("CreateMutex", handle) }?)
}

fn new_only((handle, was_there): (OwnedHandle, bool)) -> Result<NamedMutex, MutexOpenError> {
    if was_there { Err(MutexOpenError::AlreadyExists) } else { Ok(NamedMutex(handle)) }
}
