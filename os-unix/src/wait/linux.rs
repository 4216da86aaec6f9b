//! The futex: the kernel compares and sleeps in one step, so a wake in between is not lost.
//!
//! Kernels of 32 bits have two such calls, and may lack either: the one with times of 64 bits came with Linux 5.1,
//! and the older one can be left out since. Where neither works (a sandbox, memory of a device) the sleeper
//! polls: it must not spin, for the peer may need this very processor.

use core::ffi::c_long;
use core::time::Duration;

use nix::errno::Errno;
use nix::libc;
use strait_core::port::WaitPoint;

use super::abi::{FUTEX, OLDER};
use super::poll;

/// A time as one of the two calls takes it.
#[repr(C)]
struct Timespec<T> {
    seconds: T,
    nanoseconds: T,
}

/// The longest sleep passed to the kernel; the caller looks again after it.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// See [`strait_core::port::Wait::wait`]. The time is the monotonic clock's.
pub(crate) fn wait(point: WaitPoint<'_>, expected: u32, timeout: Duration) {
    let short = timeout.min(LONGEST);
    let (seconds, nanoseconds) = (short.as_secs() as i64, i64::from(short.subsec_nanos()));
    let time = Timespec { seconds, nanoseconds };
    // SAFETY: the time is a local of the layout that the call takes.
    let mut result = unsafe { sleep(FUTEX, point, expected, &time) };
    if let (Err(Errno::ENOSYS), Some(older)) = (result, OLDER) {
        let time = Timespec { seconds: seconds as c_long, nanoseconds: nanoseconds as c_long };
        // SAFETY: as above, of two longs.
        result = unsafe { sleep(older, point, expected, &time) };
    }
    match result {
        // Reasons to look again: a wake, the word has changed, the time is over, a signal came.
        Ok(()) | Err(Errno::EAGAIN | Errno::ETIMEDOUT | Errno::EINTR) => {}
        Err(_) => poll::wait(point, expected, timeout),
    }
}

/// # Safety
///
/// The time must be of the layout that the call takes.
unsafe fn sleep<T>(
    call: c_long,
    point: WaitPoint<'_>,
    expected: u32,
    time: &Timespec<T>,
) -> Result<(), Errno> {
    let word = point.word.as_ptr();
    // SAFETY: the word is valid and aligned for as long as the reference is held, and the kernel only loads it,
    // atomically; the time is the caller's promise.
    let result = unsafe { libc::syscall(call, word, libc::FUTEX_WAIT, expected, &raw const *time) };
    Errno::result(result).map(drop)
}

/// See [`strait_core::port::Wait::wake`].
pub(crate) fn wake(point: WaitPoint<'_>) {
    wake_up_to(point, i32::MAX);
}

/// See [`strait_core::port::Wait::wake_first`]. The kernel keeps the sleepers in the order of their priorities, and
/// those of one priority in the order in which they went to sleep.
pub(crate) fn wake_first(point: WaitPoint<'_>, most: u32) -> bool {
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    wake_up_to(point, most) == c_long::from(most)
}

/// Wakes so many; returns how many were woken, or a negative number if the kernel refuses.
#[inline(always)]
fn wake_up_to(point: WaitPoint<'_>, most: i32) -> c_long {
    let call = |number| {
        // SAFETY: the kernel uses the word's address as a key and does not touch the word.
        unsafe { libc::syscall(number, point.word.as_ptr(), libc::FUTEX_WAKE, most) }
    };
    let result = call(FUTEX);
    // Where there is no older call this is all, and so small that it costs no frame in a send without sleepers.
    match OLDER {
        Some(older) if Errno::result(result) == Err(Errno::ENOSYS) => call(older),
        _ => result,
    }
}
