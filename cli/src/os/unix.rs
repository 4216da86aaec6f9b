//! Process groups, signals, `SCHED_FIFO`.

use std::os::unix::process::{CommandExt, ExitStatusExt};
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

/// Gives the calling thread a real-time priority.
pub fn real_time(priority: i32) -> Result<(), RtError> {
    rt::set_fifo(priority)
}

/// Keeps the calling thread on one CPU.
pub fn pin(cpu: usize) -> Result<(), RtError> {
    rt::pin(&[cpu])
}
