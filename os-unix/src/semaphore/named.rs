//! POSIX named semaphores.

use core::time::Duration;
use std::ffi::CString;

use nix::errno::Errno;
use nix::libc;
use strait_os_base::OsError;
use strait_os_base::object::{OpenFailure, ReleaseFailure};

use super::error::{not_made, refused};
use super::{sys, value, wait};

/// The access to a new semaphore: its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(u32);

impl Access {
    /// Readable and writable for this user alone.
    pub const PRIVATE: Self = Self(0o600);

    /// By this mode, less what the umask takes away.
    #[must_use]
    pub const fn of_mode(mode: u32) -> Self {
        Self(mode)
    }
}

/// The name without the namespace in front of it: all of it, as there are none here.
#[must_use]
pub fn bare_name(name: &str) -> Option<&str> {
    Some(name)
}

/// An open semaphore.
#[derive(Debug)]
pub struct Semaphore(sys::Sem);

impl Semaphore {
    /// Creates one.
    pub fn create(name: &str, initial: u32, access: &Access) -> Result<Self, OpenFailure> {
        make(name, libc::O_EXCL, access, initial)
    }

    /// Opens one.
    pub fn open(name: &str) -> Result<Self, OpenFailure> {
        let name = system_name(name)?;
        sys::Sem::open(&name).map(Self).map_err(|error| refused("sem_open", error))
    }

    /// Opens one, or creates it if it is not there.
    pub fn open_or_create(name: &str, initial: u32, access: &Access) -> Result<Self, OpenFailure> {
        make(name, 0, access, initial)
    }

    /// Takes its name away.
    pub fn remove(name: &str) -> Result<(), OpenFailure> {
        let name = system_name(name)?;
        sys::unlink(&name).map_err(|error| refused("sem_unlink", error))
    }

    /// Takes a permit. Returns false if there is none.
    pub fn try_acquire(&self) -> Result<bool, OsError> {
        match self.0.try_wait() {
            Ok(()) => Ok(true),
            // EINTR: some systems say so though nothing is waited for.
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
            Err(error) => Err(OsError::new("sem_trywait", error as i32)),
        }
    }

    /// Takes a permit. Returns false if there was none until the time-out.
    pub fn acquire(&self, timeout: Duration) -> Result<bool, OsError> {
        match wait::wait(&self.0, timeout) {
            Ok(()) => Ok(true),
            Err(Errno::ETIMEDOUT) => Ok(false),
            Err(error) => Err(OsError::new("sem_clockwait", error as i32)),
        }
    }

    /// Gives permits, one after the other.
    /// If an error could be foreseen, none was given.
    pub fn release(&self, permits: u32) -> Result<(), ReleaseFailure> {
        let room = Self::max().saturating_sub(self.value().unwrap_or(0));
        if permits > room {
            return Err(ReleaseFailure::Overflow(0));
        }
        for released in 0..permits {
            match self.0.post() {
                Ok(()) => {}
                Err(Errno::EOVERFLOW) => return Err(ReleaseFailure::Overflow(released)),
                Err(error) => {
                    return Err(ReleaseFailure::Os(released, OsError::new("sem_post", error as i32)));
                }
            }
        }
        Ok(())
    }

    /// How many permits are left, if the system reports it.
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        value::of(&self.0)
    }

    /// The most permits that one can hold.
    #[must_use]
    pub fn max() -> u32 {
        sys::max()
    }
}

fn make(name: &str, flags: i32, access: &Access, initial: u32) -> Result<Semaphore, OpenFailure> {
    let made = sys::Sem::create(&system_name(name)?, flags, access.0, initial);
    made.map(Semaphore).map_err(not_made)
}

/// The name as `sem_open` takes it.
fn system_name(name: &str) -> Result<CString, OpenFailure> {
    CString::new(format!("/{name}")).map_err(|_| OpenFailure::Name)
}
