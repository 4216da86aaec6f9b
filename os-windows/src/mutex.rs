//! The system calls of `strait_os::NamedMutex`.

use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use strait_os_base::OsError;
use strait_os_base::object::OpenFailure;
use windows_sys::Win32::System::Threading::{
    CreateMutexW, MUTEX_MODIFY_STATE, OpenMutexW, ReleaseMutex, SYNCHRONIZATION_SYNCHRONIZE,
};

use crate::error::FromCall as _;
use crate::object;

pub use crate::object::{Access, Waited, bare_name};

/// An open mutex.
#[derive(Debug)]
pub struct Mutex(OwnedHandle);

impl Mutex {
    /// Creates one.
    pub fn create(name: &str, access: &Access) -> Result<Self, OpenFailure> {
        match make(name, access)? {
            (_, true) => Err(OpenFailure::AlreadyExists),
            (handle, false) => Ok(Self(handle)),
        }
    }

    /// Opens one.
    pub fn open(name: &str) -> Result<Self, OpenFailure> {
        let name = object::system_name(name);
        let rights = SYNCHRONIZATION_SYNCHRONIZE | MUTEX_MODIFY_STATE;
        // SAFETY: the name ends in a zero.
        let handle = unsafe { OpenMutexW(rights, 0, name.as_ptr()) };
        // SAFETY: the call made the handle, and nobody else knows it.
        Ok(Self(unsafe { object::take("OpenMutex", handle) }?.0))
    }

    /// Opens one, or creates it if it is not there.
    pub fn open_or_create(name: &str, access: &Access) -> Result<Self, OpenFailure> {
        match make(name, access) {
            // It is there, and does not give all rights: those that are needed it may.
            Err(OpenFailure::NotPermitted) => Self::open(name),
            other => Ok(Self(other?.0)),
        }
    }

    /// Makes it this thread's, once it is free.
    pub fn lock(&self, timeout: Duration) -> Result<Waited, OsError> {
        object::wait(&self.0, timeout)
    }

    /// Gives it back.
    /// Fails if it is not this thread's.
    pub fn unlock(&self) -> Result<(), OsError> {
        // SAFETY: the handle is open; the system refuses a thread that does not own the mutex.
        if unsafe { ReleaseMutex(self.0.as_raw_handle()) } == 0 {
            Err(OsError::last("ReleaseMutex"))
        } else {
            Ok(())
        }
    }
}

/// Creates or opens; true if it was there before.
fn make(name: &str, access: &Access) -> Result<(OwnedHandle, bool), OpenFailure> {
    let descriptor = access.descriptor()?;
    let name = object::system_name(name);
    let attributes = descriptor.attributes();
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let handle = unsafe { CreateMutexW(&raw const attributes, 0, name.as_ptr()) };
    // SAFETY: the call made the handle, and nobody else knows it.
    unsafe { object::take("CreateMutex", handle) }
}
