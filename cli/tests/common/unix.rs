//! Signals, and what Linux tells of processes.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The signals that end the tool. One that is ignored here is ignored by whatever is started here: so a
/// shell starts what is to go on behind its back.
pub fn ends() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0);
    let mut ends = vec!["INT", "TERM", "KILL"];
    if ignored & 1 << (INTERRUPT - 1) != 0 {
        println!("SKIPPED the signal INT: these tests were started with that ignored");
        ends.remove(0);
    }
    ends
}

/// Milliseconds between kills that nothing is to be left behind of.
pub const KILL_EVERY: &str = "100";

/// How long after a kill to wait for what is started in the place of the killed: it need not be.
pub const STARTED: Duration = Duration::ZERO;

/// The number of the signal INT.
const INTERRUPT: u32 = 2;

/// The exit code of what such a signal ended: none.
pub const ENDED: Option<i32> = None;

/// The tool's text for a part that was killed.
pub const SAID: &str = "was killed by signal 9";

/// A path that is neither a file nor a directory.
pub const DEVICES: &[&str] = &["/dev/null", "/dev/zero"];

/// The tool's text for one.
pub const DEVICE_SAID: &str = "no regular file";

/// A path that can be opened, but not written to.
pub const FULL: &[&str] = &["/dev/full"];

/// How many bytes of a damaged region are tried: one in this many.
pub const SPARSE: usize = 1;

/// Sends a signal by its name.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill");
    assert!(status.success());
}

/// The processes that a process has started, in order.
pub fn children_of(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

/// Whether there is no such process any more.
pub fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}
