//! The system's functions that are used: clock, pinning, futexes, shared memory, a second process.

pub mod fork;
pub mod futex;
pub mod shared;

use nix::libc;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::error::Result;

/// Nanoseconds of the clock that all processes share.
#[inline]
pub fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

/// Puts this process, which leads a session of its own, before others, where the system lets it; how nice
/// it is then. What else the machine does would otherwise be measured too, now with one contender and now
/// with another.
pub fn hurry() -> i32 {
    // Where the scheduler groups by session, what a process says of itself counts within its own alone.
    let _ = std::fs::write("/proc/self/autogroup", "-20");
    // SAFETY: the call takes numbers alone.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
    // SAFETY: as above.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Keeps the calling thread on this CPU.
pub fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|error| format!("cannot pin to CPU {cpu}: {error}"))
}
