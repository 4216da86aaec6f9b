//! Sleeping on several futexes in one call, which Linux has from 5.16 on. Where it does not work the sleeper polls.

use core::time::Duration;

use nix::errno::Errno;
use nix::libc;
use strait_core::port::WaitPoint;

use super::poll;
use crate::clock;

/// `SYS_futex_waitv`, which has this number on all machines but the Alpha.
const CALL: libc::c_long = 449;
/// A word of 32 bits, shared between processes.
const FLAGS: u32 = 2;
/// The most words that the kernel takes.
const MOST: usize = 128;
/// The longest sleep passed to the kernel, in seconds; the caller looks again after it.
const LONGEST: u64 = 1 << 30;

/// `struct futex_waitv`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Waiter {
    expected: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// `struct __kernel_timespec`.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// See [`strait_core::port::Wait::wait_any`].
pub(crate) fn wait_any(points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
    if points.len() > MOST {
        return poll::wait_any(points, timeout);
    }
    let mut waiters = [Waiter::default(); MOST];
    for (waiter, (point, expected)) in waiters.iter_mut().zip(points) {
        let address = point.word.as_ptr().expose_provenance() as u64;
        *waiter = Waiter { expected: u64::from(*expected), address, flags: FLAGS, reserved: 0 };
    }
    let until = clock::now_ns().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    let seconds = (until / 1_000_000_000).min(clock::now_ns() / 1_000_000_000 + LONGEST);
    let time = Timespec {
        seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
        nanoseconds: (until % 1_000_000_000) as i64,
    };
    // SAFETY: the waiters and the time are locals of the layout that the call takes; the words are valid and aligned
    // for as long as the references are held, and the kernel only loads them, atomically.
    let result = unsafe {
        libc::syscall(CALL, waiters.as_ptr(), points.len(), 0, &raw const time, libc::CLOCK_MONOTONIC)
    };
    match Errno::result(result) {
        // Reasons to look again: a wake, a word has changed, the time is over, a signal came.
        Ok(_) | Err(Errno::EAGAIN | Errno::ETIMEDOUT | Errno::EINTR) => {}
        Err(_) => poll::wait_any(points, timeout),
    }
}
