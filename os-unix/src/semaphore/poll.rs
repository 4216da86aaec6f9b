//! Waiting by looking again. Sleeps start at 50 µs and double up to 1 ms, so a permit is seen at most
//! 1 ms (and a context switch) late.

use core::time::Duration;
use std::time::Instant;

use nix::errno::Errno;

use super::sys::Sem;

const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(1);

/// Takes a permit within `timeout`, else `ETIMEDOUT`.
pub(super) fn wait(sem: &Sem, timeout: Duration) -> Result<(), Errno> {
    let start = Instant::now();
    let mut nap = SHORTEST;
    loop {
        match sem.try_wait() {
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            other => return other,
        }
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(Errno::ETIMEDOUT);
        }
        std::thread::sleep(nap.min(left));
        nap = (nap * 2).min(LONGEST);
    }
}
