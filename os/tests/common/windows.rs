//! The parts of the tests that differ on Windows.

use std::os::windows::io::AsRawHandle;
use std::process::ExitStatus;
use std::time::Duration;

use strait_os::RegionName;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};

use super::{Helper, Place, Scratch, end_in_a_while, role};

/// A name that all sessions see.
pub fn global(name: &str) -> RegionName {
    RegionName::global(name).expect("a name")
}

/// A place of each kind.
pub fn places(scratch: &Scratch) -> Vec<Place> {
    vec![Place::local(), Place::global(), Place::file(scratch)]
}

/// In a helper: the role to play and its argument. The process ends in a while, should the test forget it.
pub fn role_for_a_while() -> Option<(String, String)> {
    let role = role()?;
    end_in_a_while();
    Some(role)
}

/// Whether this is wine, and not Windows.
pub fn is_wine() -> bool {
    let ntdll: Vec<u16> = "ntdll.dll\0".encode_utf16().collect();
    // SAFETY: the name ends in a zero, and the library is there in every process.
    let ntdll = unsafe { GetModuleHandleW(ntdll.as_ptr()) };
    // SAFETY: the handle is of a library that stays loaded, and the name ends in a zero.
    unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()) }.is_some()
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtSuspendProcess(process: std::os::windows::io::RawHandle) -> i32;
}

impl Helper {
    /// Stops all its threads.
    pub fn stop(&self) {
        // SAFETY: the handle is open until the child is dropped.
        assert_eq!(unsafe { NtSuspendProcess(self.child.as_raw_handle()) }, 0);
    }
}

/// How many creators are killed, and how much later each: fewer than on Unix, for wine starts slowly.
pub const KILLS: u32 = 12;
pub const KILL_STEP: Duration = Duration::from_micros(300);
/// How often a race is to end in each way, and how long that may take.
pub const RACES: usize = 20;
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Between what a helper does again and again.
pub const BREATH: Duration = Duration::from_millis(1);
/// Every seventh length is tried.
pub const LENGTHS_STEP: usize = 7;
/// The least durations of a sleep of 100 ms and a pause of 50 ms: a tick less.
pub const SHORTEST_SLEEP: Duration = Duration::from_millis(80);
pub const SHORTEST_PAUSE: Duration = Duration::from_millis(35);
/// Until a helper sleeps that has said that it is about to.
pub const ASLEEP: Duration = Duration::from_millis(300);

/// Whether a process ended by an access that was not allowed.
pub fn died_of_access(status: ExitStatus) -> bool {
    !status.success()
}
