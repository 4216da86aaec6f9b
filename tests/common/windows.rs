//! Killing and stopping, by calls on process handles.

use std::os::windows::io::{AsRawHandle, RawHandle};
use std::process::Child;

use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtSuspendProcess(process: RawHandle) -> i32;
    fn NtResumeProcess(process: RawHandle) -> i32;
}

/// Whether a named region is there until it is removed: here it goes with the last process that has it open.
pub const NAMED_STAYS: bool = false;

/// Ends this process at once, with nothing cleaned up.
pub fn die() -> ! {
    // SAFETY: it names this process, and cannot fail.
    let this = unsafe { GetCurrentProcess() };
    // SAFETY: a process may end itself at any time.
    unsafe { TerminateProcess(this, 9) };
    super::linger()
}

/// Stops a child.
pub fn stop(child: &Child) {
    // SAFETY: the handle is open until the child is dropped.
    assert_eq!(unsafe { NtSuspendProcess(child.as_raw_handle()) }, 0);
}

/// Lets it go on.
pub fn go_on(child: &Child) {
    // SAFETY: the handle is open until the child is dropped.
    assert_eq!(unsafe { NtResumeProcess(child.as_raw_handle()) }, 0);
}
