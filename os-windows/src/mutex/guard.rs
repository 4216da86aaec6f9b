//! A mutex that is held.

use core::marker::PhantomData;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use windows_sys::Win32::System::Threading::ReleaseMutex;

use super::error::MutexLockError;
use crate::error::{FromCall as _, OsError};

/// The mutex, held, and what is known of who held it before.
#[derive(Debug)]
#[must_use = "the mutex is given back when this is dropped"]
pub enum NamedMutexLock<'a> {
    /// It was free.
    Held(NamedMutexGuard<'a>),
    /// The thread that held it has ended without giving it back; its process may live on. What the mutex guards
    /// may be half-done. The system says so once: the next one to lock sees `Held`.
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
    mutex: &'a OwnedHandle,
    _thread: PhantomData<*const ()>,
}

impl<'a> NamedMutexGuard<'a> {
    /// Of a mutex that this thread has just been given.
    pub(super) fn new(mutex: &'a OwnedHandle) -> Self {
        Self { mutex, _thread: PhantomData }
    }

    /// Gives the mutex back.
    ///
    /// # Errors
    ///
    /// [`MutexLockError::Os`], `ERROR_NOT_OWNER` (288) if it was not this thread's any more, because
    /// somebody had given it back through another handle.
    pub fn unlock(self) -> Result<(), MutexLockError> {
        let mutex = self.mutex;
        core::mem::forget(self);
        release(mutex).map_err(MutexLockError::Os)
    }
}

impl Drop for NamedMutexGuard<'_> {
    fn drop(&mut self) {
        let _ = release(self.mutex);
    }
}

fn release(mutex: &OwnedHandle) -> Result<(), OsError> {
    // SAFETY: the handle is open; the system refuses who does not own the mutex.
    if unsafe { ReleaseMutex(mutex.as_raw_handle()) } == 0 {
        Err(OsError::last("ReleaseMutex"))
    } else {
        Ok(())
    }
}
