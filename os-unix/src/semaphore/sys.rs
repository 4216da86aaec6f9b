//! The calls that all systems have.

use core::ffi::{CStr, c_int, c_uint};
use core::ptr::NonNull;

use nix::errno::Errno;
use nix::libc;

/// An open semaphore of the system, closed when dropped.
///
/// # Invariants
///
/// - S1. `at` is what `sem_open` returned, and is closed once, when this is dropped.
#[derive(Debug)]
pub(super) struct Sem {
    at: NonNull<libc::sem_t>,
}

// SAFETY: a semaphore is there to be used by many threads; its calls are safe for that.
unsafe impl Send for Sem {}
// SAFETY: as above.
unsafe impl Sync for Sem {}

impl Sem {
    /// Opens the semaphore.
    pub(super) fn open(name: &CStr) -> Result<Self, Errno> {
        // SAFETY: the name is a string with its end, and without `O_CREAT` nothing follows the flags.
        let at = unsafe { libc::sem_open(name.as_ptr(), 0) };
        Self::from_answer(at)
    }

    /// Creates it, or opens it if `flags` lack `O_EXCL`.
    pub(super) fn create(name: &CStr, flags: c_int, mode: u32, initial: u32) -> Result<Self, Errno> {
        let flags = flags | libc::O_CREAT;
        let (mode, initial): (c_uint, c_uint) = (mode, initial);
        // SAFETY: the name is a string with its end, and with `O_CREAT` a mode and a value follow, of
        // the types that variable arguments are passed as.
        let at = unsafe { libc::sem_open(name.as_ptr(), flags, mode, initial) };
        Self::from_answer(at)
    }

    fn from_answer(at: *mut libc::sem_t) -> Result<Self, Errno> {
        if at == libc::SEM_FAILED {
            return Err(Errno::last());
        }
        NonNull::new(at).map(|at| Self { at }).ok_or(Errno::EINVAL)
    }

    /// The semaphore, for calls that take it.
    pub(super) fn as_ptr(&self) -> *mut libc::sem_t {
        self.at.as_ptr()
    }

    /// Takes a permit if there is one.
    pub(super) fn try_wait(&self) -> Result<(), Errno> {
        // SAFETY: the semaphore is open (S1).
        let result = unsafe { libc::sem_trywait(self.as_ptr()) };
        Errno::result(result).map(drop)
    }

    /// Gives a permit.
    pub(super) fn post(&self) -> Result<(), Errno> {
        // SAFETY: the semaphore is open (S1).
        let result = unsafe { libc::sem_post(self.as_ptr()) };
        Errno::result(result).map(drop)
    }
}

impl Drop for Sem {
    fn drop(&mut self) {
        // SAFETY: it is open (S1), and nobody can use it after this.
        unsafe { libc::sem_close(self.as_ptr()) };
    }
}

/// Takes a semaphore's name away.
pub(super) fn unlink(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is a string with its end.
    let result = unsafe { libc::sem_unlink(name.as_ptr()) };
    Errno::result(result).map(drop)
}

/// The most permits that a semaphore holds.
pub(super) fn max() -> u32 {
    /// The least that POSIX guarantees.
    const LEAST: u32 = 32_767;
    // SAFETY: the call takes a number and returns one.
    let max = unsafe { libc::sysconf(libc::_SC_SEM_VALUE_MAX) };
    u32::try_from(max).ok().filter(|&max| max > 0).unwrap_or(LEAST)
}
