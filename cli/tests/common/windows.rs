//! The same by handles of processes. A program without a console cannot be sent Ctrl-C, so the one
//! signal that ends the tool here is a kill.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::{INVALID_HANDLE_VALUE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SUSPEND_RESUME, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, TerminateProcess,
    WaitForSingleObject,
};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtSuspendProcess(process: RawHandle) -> i32;
    fn NtResumeProcess(process: RawHandle) -> i32;
}

/// The signals that end the tool.
pub fn ends() -> [&'static str; 1] {
    ["KILL"]
}

/// Milliseconds between kills that nothing is to be left behind of. Under wine a process that is being
/// started when its parent is killed never runs and never ends, so the last kill has to come when none is.
pub const KILL_EVERY: &str = "4000";

/// How long after a kill to wait for what is started in the place of the killed.
pub const STARTED: Duration = Duration::from_secs(2);

/// The exit code of what was killed.
pub const ENDED: Option<i32> = Some(9);

/// The tool's text for a part that was killed.
pub const SAID: &str = "ended early with status 9";

/// A path that is neither a file nor a directory.
pub const DEVICES: &[&str] = &["NUL"];

/// The tool's text for one: its name, and the system's text.
pub const DEVICE_SAID: &str = "NUL: ";

/// A path that can be opened, but not written to.
pub const FULL: &[&str] = &[];

/// How many bytes of a damaged region are tried: one in this many. Under wine it takes half a
/// second to start a process.
pub const SPARSE: usize = 16;

fn open(pid: u32) -> Option<OwnedHandle> {
    let rights = PROCESS_SUSPEND_RESUME | PROCESS_SYNCHRONIZE | PROCESS_TERMINATE;
    // SAFETY: the call takes numbers alone.
    let process = unsafe { OpenProcess(rights, 0, pid) };
    // SAFETY: the call made the handle, and nobody else knows it.
    (!process.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(process.cast()) })
}

/// Does to a process what the signal of this name would.
pub fn signal(pid: u32, name: &str) {
    let process = open(pid).expect("the process is there");
    let handle = process.as_raw_handle();
    let done = match name {
        // SAFETY: the handle is open.
        "KILL" => unsafe { TerminateProcess(handle, 9) != 0 },
        // SAFETY: as above.
        "STOP" => unsafe { NtSuspendProcess(handle) == 0 },
        // SAFETY: as above.
        "CONT" => unsafe { NtResumeProcess(handle) == 0 },
        other => panic!("no such signal here: {other}"),
    };
    assert!(done, "{name}");
}

/// The processes that a process has started, in order.
pub fn children_of(pid: u32) -> Vec<u32> {
    // SAFETY: the call takes numbers alone.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    assert_ne!(snapshot, INVALID_HANDLE_VALUE);
    // SAFETY: the call made the handle, and nobody else knows it.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot.cast()) };
    let mut entry = PROCESSENTRY32W { dwSize: size_of::<PROCESSENTRY32W>() as u32, ..Default::default() };
    let mut children = Vec::new();
    // SAFETY: the handle is open, and the entry as long as it says.
    let mut more = unsafe { Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        if entry.th32ParentProcessID == pid {
            children.push(entry.th32ProcessID);
        }
        // SAFETY: as above.
        more = unsafe { Process32NextW(snapshot.as_raw_handle(), &raw mut entry) };
    }
    children
}

/// Whether there is no such process any more.
pub fn is_gone(pid: u32) -> bool {
    // SAFETY: the handle is open.
    open(pid)
        .is_none_or(|process| unsafe { WaitForSingleObject(process.as_raw_handle(), 0) } == WAIT_OBJECT_0)
}
