//! Process groups, signals, `SCHED_FIFO`.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};

use strait::rt::{self, RtError};

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

/// Waits until what was renamed in a directory is on storage.
pub fn sync_directory(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        // A directory that may be written to but not read, or a file system that does not know of it.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) => Ok(()),
        other => other,
    }
}

/// Gives the calling thread a real-time priority.
pub fn real_time(priority: i32) -> Result<(), RtError> {
    rt::set_fifo(priority)
}

/// Keeps the calling thread on one CPU.
pub fn pin(cpu: usize) -> Result<(), RtError> {
    rt::pin(&[cpu])
}
