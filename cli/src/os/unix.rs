//! Process groups, signals, `SCHED_FIFO`.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
#[cfg(feature = "record")]
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{SigSet, Signal};
use strait::RegionOptions;
use strait::rt::{self, RtError};
use strait::unix::RegionOptionsExt as _;

/// The signal that nothing outlives.
const SIGKILL: i32 = 9;

/// Starts the process in a group of its own, so that Ctrl-C does not reach it.
pub fn apart(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Whether a process was ended by [`Child::kill`](std::process::Child::kill).
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(SIGKILL)
}

/// How a process ended early, for people.
pub fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was killed by signal {signal}"),
        (_, Some(code)) => format!("ended early with status {code}"),
        _ => "ended early".into(),
    }
}

/// Whether the process of this number, as this one numbers processes, started at that time, in the units of a
/// participant's card. `None` where the card does not say when.
pub fn has_started(pid: u32, started: u64) -> Option<bool> {
    if started == 0 {
        return None;
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Field 22. The second one, the program's name in brackets, may itself hold blanks and brackets.
    let found = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(19)?.parse().ok());
    Some(found == Some(started))
}

/// Has a write beyond the longest file fail, in place of the signal that ends the process. For this thread, and those
/// that it starts.
pub fn no_signal_for_long_files() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    // Where it fails, the signal ends the process, as it would have.
    let _ = signals.thread_block();
}

/// The options to take part in a region of this user, or of the one that was named, whatever its mode.
pub fn to_join(options: RegionOptions, of_user: Option<u32>) -> RegionOptions {
    let options = options.mode(0o7777);
    of_user.map_or(options, |uid| options.owner(uid))
}

/// The longest file that this process may write, in bytes.
pub fn longest_file() -> u64 {
    getrlimit(Resource::RLIMIT_FSIZE).map_or(u64::MAX, |(limit, _)| wide(limit))
}

/// A limit, which is not of one type on all systems; what is none there is none here.
fn wide(limit: impl TryInto<u64>) -> u64 {
    limit.try_into().unwrap_or(u64::MAX)
}

/// Waits until what was renamed in a directory is on storage.
pub fn sync_directory(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        // A directory that may be written to but not read, or a file system that does not know of it.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) => Ok(()),
        other => other,
    }
}

/// Runs a program in place of this process; returns only if it could not be started.
pub fn replace(command: &mut Command) -> io::Result<ExitStatus> {
    Err(command.exec())
}

/// Gives the calling thread a real-time priority.
pub fn real_time(priority: i32) -> Result<(), RtError> {
    rt::set_fifo(priority)
}

/// Keeps the calling thread on one CPU.
pub fn pin(cpu: usize) -> Result<(), RtError> {
    rt::pin(&[cpu])
}

/// Standard output as a file: what is written is there at once, and nothing stands before it in a buffer.
#[cfg(feature = "record")]
pub fn standard_output() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}
