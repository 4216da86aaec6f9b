//! The system calls of `strait_os::NamedSemaphore`.

use core::ptr::null_mut;
use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use strait_os_base::OsError;
use strait_os_base::object::{OpenFailure, ReleaseFailure};
use windows_sys::Win32::Foundation::ERROR_TOO_MANY_POSTS;
use windows_sys::Win32::System::Threading::{
    CreateSemaphoreW, OpenSemaphoreW, ReleaseSemaphore, SEMAPHORE_MODIFY_STATE, SYNCHRONIZATION_SYNCHRONIZE,
};

use crate::error::FromCall as _;
use crate::object::{self, Waited};

pub use crate::object::{Access, bare_name};

/// An open semaphore.
#[derive(Debug)]
pub struct Semaphore(OwnedHandle);

impl Semaphore {
    /// Creates one.
    pub fn create(name: &str, initial: u32, access: &Access) -> Result<Self, OpenFailure> {
        match make(name, initial, access)? {
            (_, true) => Err(OpenFailure::AlreadyExists),
            (handle, false) => Ok(Self(handle)),
        }
    }

    /// Opens one.
    pub fn open(name: &str) -> Result<Self, OpenFailure> {
        let name = object::system_name(name);
        let rights = SYNCHRONIZATION_SYNCHRONIZE | SEMAPHORE_MODIFY_STATE;
        // SAFETY: the name ends in a zero.
        let handle = unsafe { OpenSemaphoreW(rights, 0, name.as_ptr()) };
        // SAFETY: the call made the handle, and nobody else knows it.
        Ok(Self(unsafe { object::take("OpenSemaphore", handle) }?.0))
    }

    /// Opens one, or creates it if it is not there.
    pub fn open_or_create(name: &str, initial: u32, access: &Access) -> Result<Self, OpenFailure> {
        match make(name, initial, access) {
            // It is there, and does not give all rights: those that are needed it may.
            Err(OpenFailure::NotPermitted) => Self::open(name),
            other => Ok(Self(other?.0)),
        }
    }

    /// Looks whether there is one: its name goes with the last handle.
    pub fn remove(name: &str) -> Result<(), OpenFailure> {
        Self::open(name).map(drop)
    }

    /// Takes a permit. Returns false if there is none.
    pub fn try_acquire(&self) -> Result<bool, OsError> {
        self.acquire(Duration::ZERO)
    }

    /// Takes a permit. Returns false if there was none until the time-out.
    pub fn acquire(&self, timeout: Duration) -> Result<bool, OsError> {
        object::wait(&self.0, timeout).map(|waited| waited != Waited::TimedOut)
    }

    /// Gives permits, all at once.
    /// After an error none was given.
    pub fn release(&self, permits: u32) -> Result<(), ReleaseFailure> {
        if permits == 0 {
            return Ok(());
        }
        let permits = i32::try_from(permits).map_err(|_| ReleaseFailure::Overflow(0))?;
        // SAFETY: the handle is open; the count before is not asked for.
        if unsafe { ReleaseSemaphore(self.0.as_raw_handle(), permits, null_mut()) } != 0 {
            return Ok(());
        }
        let error = OsError::last("ReleaseSemaphore");
        if error.is(ERROR_TOO_MANY_POSTS) {
            return Err(ReleaseFailure::Overflow(0));
        }
        Err(ReleaseFailure::Os(0, error))
    }

    /// The system does not say how many permits are left.
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        None
    }

    /// The most permits that one can hold.
    #[must_use]
    pub fn max() -> u32 {
        i32::MAX as u32
    }
}

/// Creates or opens; true if it was there before.
fn make(name: &str, initial: u32, access: &Access) -> Result<(OwnedHandle, bool), OpenFailure> {
    let descriptor = access.descriptor()?;
    let name = object::system_name(name);
    let attributes = descriptor.attributes();
    // More than there can be are refused by the system as well.
    let (initial, max) = (i32::try_from(initial).unwrap_or(-1), i32::MAX);
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let handle = unsafe { CreateSemaphoreW(&raw const attributes, initial, max, name.as_ptr()) };
    // SAFETY: the call made the handle, and nobody else knows it.
    unsafe { object::take("CreateSemaphore", handle) }
}
