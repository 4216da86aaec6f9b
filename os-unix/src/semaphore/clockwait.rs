//! `sem_clockwait`, where the C library has it: looked up when first needed, so that a program also
//! starts where it is missing, and polls there.

use core::ffi::c_int;
use core::time::Duration;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc;

use super::poll;
use super::sys::Sem;
use crate::clock;

type ClockWait = unsafe extern "C" fn(*mut libc::sem_t, libc::clockid_t, *const libc::timespec) -> c_int;

/// The longest wait; a longer one is cut to this.
const LONGEST: Duration = Duration::from_secs(1 << 30);

fn clock_wait() -> Option<ClockWait> {
    static FOUND: OnceLock<Option<ClockWait>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // SAFETY: the name is a string with its end.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"sem_clockwait".as_ptr()) };
        if found.is_null() {
            return None;
        }
        // SAFETY: the C library's function of that name has this type, and is never unloaded.
        Some(unsafe { core::mem::transmute::<*mut libc::c_void, ClockWait>(found) })
    })
}

/// Takes a permit within `timeout`, else `ETIMEDOUT`.
pub(super) fn wait(sem: &Sem, timeout: Duration) -> Result<(), Errno> {
    match clock_wait() {
        Some(clock_wait) => wait_in_kernel(clock_wait, sem, timeout.min(LONGEST)),
        None => poll::wait(sem, timeout),
    }
}

fn wait_in_kernel(clock_wait: ClockWait, sem: &Sem, timeout: Duration) -> Result<(), Errno> {
    let until_ns = clock::now_ns().saturating_add(timeout.as_nanos() as u64);
    let until = libc::timespec {
        tv_sec: (until_ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (until_ns % 1_000_000_000) as libc::c_long,
    };
    loop {
        // SAFETY: the semaphore is open for as long as the reference is held, and the time is a local.
        let result = unsafe { clock_wait(sem.as_ptr(), libc::CLOCK_MONOTONIC, &raw const until) };
        match Errno::result(result) {
            // A signal; signals without end must not make the wait so.
            Err(Errno::EINTR) if clock::now_ns() < until_ns => {}
            Err(Errno::EINTR) => return Err(Errno::ETIMEDOUT),
            other => return other.map(drop),
        }
    }
}
