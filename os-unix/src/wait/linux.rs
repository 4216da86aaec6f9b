//! The futex: the kernel compares and sleeps in one step, so a wake in between is not lost.

use core::ffi::c_long;
use core::time::Duration;

use nix::libc;
use strait_core::port::WaitPoint;

/// A time as the kernel takes it: two longs, on 32-bit machines too (`SYS_futex` is the call of
/// the old layout there, whatever the C library's `timespec` is).
#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

/// The longest sleep passed to the kernel; the caller looks again after it.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// See [`strait_core::port::Wait::wait`]. The time is the monotonic clock's.
pub(crate) fn wait(point: WaitPoint<'_>, expected: u32, timeout: Duration) {
    let timeout = timeout.min(LONGEST);
    let timeout = Timespec {
        seconds: timeout.as_secs() as c_long,
        nanoseconds: c_long::from(timeout.subsec_nanos() as i32),
    };
    // Every error is a reason to look again: the word has changed, the time is over, a signal came.
    // SAFETY: the word is valid and aligned for as long as the reference is held, and the kernel
    // only loads it, atomically; the time is a local of the layout that the call takes.
    unsafe {
        libc::syscall(libc::SYS_futex, point.word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const timeout)
    };
}

/// See [`strait_core::port::Wait::wake`].
pub(crate) fn wake(point: WaitPoint<'_>) {
    // SAFETY: the kernel uses the word's address as a key and does not touch the word.
    unsafe { libc::syscall(libc::SYS_futex, point.word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}
