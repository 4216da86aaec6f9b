//! The bare futex, shared between processes.

use std::ptr;
use std::sync::atomic::AtomicU32;

use nix::libc;

/// Sleeps while the word holds `expected`; may come back early.
pub fn wait(word: &AtomicU32, expected: u32) {
    // SAFETY: the word lives through the call, and without a time-out nothing else is read.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            ptr::null::<libc::timespec>(),
        )
    };
}

/// Wakes one thread that sleeps on the word.
pub fn wake(word: &AtomicU32) {
    // SAFETY: the kernel takes the address for a key and reads nothing.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}
