//! Process groups, exit codes, thread priorities.

#[cfg(feature = "record")]
use std::fs::File;
use std::io;
#[cfg(feature = "record")]
use std::os::windows::io::AsHandle;
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use strait::RegionOptions;
use strait::rt::{self, RtError};

const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// The code with which the standard library ends a child.
const KILLED: i32 = 1;

/// Starts the process in a group of its own, so that Ctrl-C does not reach it.
pub fn apart(command: &mut Command) -> &mut Command {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP)
}

/// Whether a process was ended by [`Child::kill`](std::process::Child::kill). One that failed has
/// the same code here.
pub fn was_killed(status: ExitStatus) -> bool {
    status.code() == Some(KILLED)
}

/// How a process ended early, for people.
pub fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended early with status {code}"),
        None => "ended early".into(),
    }
}

/// Not known here, where processes have one set of numbers.
pub fn has_started(_pid: u32, _started: u64) -> Option<bool> {
    None
}

/// Nothing: there is no such signal.
pub fn no_signal_for_long_files() {}

/// The options to take part in a region of any user: here no file is cut short that is mapped.
pub fn to_join(options: RegionOptions, _of_user: Option<u32>) -> RegionOptions {
    options.any_owner(true)
}

/// There is no limit.
pub fn longest_file() -> u64 {
    u64::MAX
}

/// Nothing: directories cannot be waited for here.
pub fn sync_directory(_dir: &Path) -> io::Result<()> {
    Ok(())
}

/// Runs a program and waits for it: here no program takes another one's place.
pub fn replace(command: &mut Command) -> io::Result<ExitStatus> {
    command.status()
}

/// Gives the calling thread the highest priority that threads have, whatever the number.
pub fn real_time(_priority: i32) -> Result<(), RtError> {
    rt::set_time_critical()
}

/// Keeps the calling thread on one CPU.
pub fn pin(cpu: usize) -> Result<(), RtError> {
    rt::pin(&[cpu])
}

/// Standard output as a file: what is written is there at once, and nothing stands before it in a buffer.
#[cfg(feature = "record")]
pub fn standard_output() -> io::Result<File> {
    io::stdout().as_handle().try_clone_to_owned().map(File::from)
}
