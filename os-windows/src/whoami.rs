//! This process's identification for a human reader.

use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessTimes};

/// When this process was created, in units of 100 ns since 1601; 0 if that is unknown.
#[must_use]
pub fn start_time() -> u64 {
    let zero = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    let [mut created, mut ended, mut kernel, mut user] = [zero; 4];
    // SAFETY: it names this process, and cannot fail.
    let this = unsafe { GetCurrentProcess() };
    let times = (&raw mut created, &raw mut ended, &raw mut kernel, &raw mut user);
    // SAFETY: the pointers are locals'.
    unsafe { GetProcessTimes(this, times.0, times.1, times.2, times.3) };
    u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_a_start() {
        assert_ne!(super::start_time(), 0);
    }
}
