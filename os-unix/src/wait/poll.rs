//! Polling with sleeps. They start at 50 µs and double up to 1 ms, so a wake is seen at most 1 ms
//! (and a context switch) late, and an idle sleeper costs about a thousand looks a second.

use core::time::Duration;
use std::time::Instant;

use strait_core::port::RELAXED;
use strait_core::port::WaitPoint;

const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(1);

/// See [`strait_core::port::Wait::wait`].
pub(crate) fn wait(point: WaitPoint<'_>, expected: u32, timeout: Duration) {
    wait_any(&[(point, expected)], timeout);
}

/// See [`strait_core::port::Wait::wait_any`].
pub(crate) fn wait_any(points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
    let start = Instant::now();
    let mut nap = SHORTEST;
    // ORDERING: relaxed, as the caller looks again at what it waits for, with its own ordering.
    while points.iter().all(|(point, expected)| point.word.load(RELAXED) == *expected) {
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(nap.min(left));
        nap = (nap * 2).min(LONGEST);
    }
}
