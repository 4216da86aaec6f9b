//! The monotonic clock.

use std::sync::OnceLock;

use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

/// Nanoseconds of the performance counter: one clock for all processes of the machine, which
/// setting the wall clock does not move.
#[must_use]
pub fn now_ns() -> u64 {
    let mut ticks = 0;
    // SAFETY: the pointer is a local's. The call cannot fail since Windows XP.
    unsafe { QueryPerformanceCounter(&raw mut ticks) };
    to_ns(ticks as u64, frequency())
}

/// Ticks a second, which never change while the machine runs.
fn frequency() -> u64 {
    static FREQUENCY: OnceLock<u64> = OnceLock::new();
    *FREQUENCY.get_or_init(|| {
        let mut frequency = 0;
        // SAFETY: the pointer is a local's. The call cannot fail since Windows XP.
        unsafe { QueryPerformanceFrequency(&raw mut frequency) };
        (frequency as u64).max(1)
    })
}

/// In two parts, because the product of the whole would overflow after half an hour.
fn to_ns(ticks: u64, frequency: u64) -> u64 {
    let (seconds, rest) = (ticks / frequency, ticks % frequency);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest.saturating_mul(1_000_000_000) / frequency)
}

#[cfg(test)]
mod tests {
    use super::{now_ns, to_ns};

    #[test]
    fn ticks_become_nanoseconds_without_overflow() {
        assert_eq!(to_ns(25, 10_000_000), 2500);
        let century = 10_000_000 * 3600 * 24 * 365 * 100;
        assert_eq!(to_ns(century + 1, 10_000_000), (century + 1) * 100);
    }

    #[test]
    fn it_does_not_go_back() {
        let mut last = now_ns();
        for _ in 0..1000 {
            let now = now_ns();
            assert!(now >= last);
            last = now;
        }
    }
}
