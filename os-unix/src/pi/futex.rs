//! The priority-inheritance operations of the futex call.

use core::ffi::{c_int, c_long};
use core::ptr::null;
use core::sync::atomic::AtomicU32;
use std::cell::Cell;

use nix::errno::Errno;
use nix::libc;
use strait_os_base::OsError;

use crate::fork::Origin;

/// The thread id in a word. (These are the kernel's numbers, which Android's C library does not name.)
pub const TID_MASK: u32 = 0x3FFF_FFFF;
/// In a word: somebody waits in the kernel, or did.
pub const WAITERS: u32 = 0x8000_0000;
/// In a word: the kernel handed it over, for its owner has ended.
pub const OWNER_DIED: u32 = 0x4000_0000;

/// The kernel's answer to a thread that wants the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is the caller's now.
    Yours,
    /// It is somebody else's, or was for the time allowed.
    Busy,
    /// No thread has the id in the word.
    Gone,
    /// The caller has it, or waits for itself through others.
    Deadlock,
    /// The word does not fit what the kernel knows: the owner is just ending, or somebody recovers
    /// the word, or it was scribbled over.
    Odd,
    /// Something that trying again does not mend.
    Failed(OsError),
}

/// A time as the kernel takes it: two longs, whatever the C library's `timespec` is.
#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

/// Waits for the word until the moment `until`, in nanoseconds of the monotonic clock, at the longest,
/// lending the caller's priority to the owner. `FUTEX_LOCK_PI2` restarts itself after a signal.
#[must_use]
pub fn lock(word: &AtomicU32, until: u64) -> Answer {
    let until = Timespec {
        seconds: c_long::try_from(until / 1_000_000_000).unwrap_or(c_long::MAX),
        nanoseconds: (until % 1_000_000_000) as c_long,
    };
    understand(call(word, libc::FUTEX_LOCK_PI2, 0, &raw const until))
}

/// Takes the word if it is free, by the kernel's knowledge.
#[must_use]
pub fn try_lock(word: &AtomicU32) -> Answer {
    understand(call(word, libc::FUTEX_TRYLOCK_PI, 0, null()))
}

/// Gives the word to the highest waiter, or sets it to 0. False if it is not the calling thread's.
pub fn unlock(word: &AtomicU32) -> Result<bool, OsError> {
    match call(word, libc::FUTEX_UNLOCK_PI, 0, null()) {
        Ok(()) => Ok(true),
        Err(Errno::EPERM) => Ok(false),
        Err(error) => Err(OsError::new("futex(FUTEX_UNLOCK_PI)", error as i32)),
    }
}

/// Whether somebody is queued for the word in the kernel. A plain wake is refused exactly then.
#[must_use]
pub fn has_waiters(word: &AtomicU32) -> bool {
    call(word, libc::FUTEX_WAKE, 1, null()).is_err()
}

/// Whether the kernel has `FUTEX_LOCK_PI2`: tries it on a word that the caller holds, which is refused.
#[must_use]
pub fn is_supported() -> bool {
    let own = AtomicU32::new(thread_id());
    lock(&own, 0) == Answer::Deadlock
}

fn call(word: &AtomicU32, operation: c_int, value: u32, until: *const Timespec) -> Result<(), Errno> {
    // SAFETY: the word is valid and aligned for as long as the reference is held, and the kernel
    // changes it atomically; `until` is null or a local of the caller, of the layout that the call takes.
    let result = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, until) };
    Errno::result(result).map(drop)
}

fn understand(result: Result<(), Errno>) -> Answer {
    match result {
        Ok(()) => Answer::Yours,
        Err(Errno::ETIMEDOUT | Errno::EAGAIN | Errno::EINTR) => Answer::Busy,
        Err(Errno::ESRCH) => Answer::Gone,
        Err(Errno::EDEADLK) => Answer::Deadlock,
        Err(Errno::EINVAL | Errno::EPERM) => Answer::Odd,
        Err(error) => Answer::Failed(OsError::new("futex", error as i32)),
    }
}

thread_local! {
    /// The calling thread's id, and the process in which it was asked for.
    static THREAD: Cell<Option<(Origin, u32)>> = const { Cell::new(None) };
}

/// The calling thread's id, as it stands in words. A system call the first time in each thread.
#[must_use]
pub fn thread_id() -> u32 {
    match THREAD.get() {
        Some((origin, id)) if !origin.left() => id,
        _ => ask_thread_id(),
    }
}

#[cold]
fn ask_thread_id() -> u32 {
    // SAFETY: the call takes nothing and returns a number.
    let id = unsafe { libc::syscall(libc::SYS_gettid) } as u32;
    // Without the fork handlers nothing is remembered, for a child would take it for its own.
    if let Ok(origin) = Origin::here() {
        THREAD.set(Some((origin, id)));
    }
    id
}
