//! The second side as a process of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getppid, pipe};

use crate::error::Result;

/// Whether this is the second process.
static SECOND: AtomicBool = AtomicBool::new(false);

/// Ends this process and the other one, which would wait for ever.
pub fn bring_down() -> ! {
    if SECOND.load(Relaxed) {
        let _ = kill(getppid(), Signal::SIGTERM);
    }
    std::process::exit(1)
}

/// A second process, and what it will have to say.
pub struct Second {
    pid: Pid,
    words: File,
}

/// Starts `side` in a forked process; its answer goes to [`Second::join`]. To be called while there is
/// one thread alone.
pub fn second(side: impl FnOnce() -> Result<String>) -> Result<Second> {
    let (read, write) = pipe().map_err(|error| format!("pipe: {error}"))?;
    // SAFETY: there is no other thread whose locks the child could miss.
    match unsafe { fork() }.map_err(|error| format!("fork: {error}"))? {
        ForkResult::Parent { child } => Ok(Second { pid: child, words: File::from(read) }),
        ForkResult::Child => run(side, write),
    }
}

fn run(side: impl FnOnce() -> Result<String>, write: OwnedFd) -> ! {
    // SAFETY: the call takes numbers alone.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, Signal::SIGKILL as libc::c_ulong) };
    SECOND.store(true, Relaxed);
    let status = match side() {
        Ok(words) => File::from(write).write_all(words.as_bytes()).map_or(1, |()| 0),
        Err(line) => {
            eprintln!("error: {line}");
            bring_down()
        }
    };
    std::process::exit(status)
}

impl Second {
    /// Waits for its end, and gives its answer.
    pub fn join(mut self) -> Result<String> {
        let mut words = String::new();
        self.words.read_to_string(&mut words).map_err(|error| format!("pipe: {error}"))?;
        match waitpid(self.pid, None) {
            Ok(WaitStatus::Exited(_, 0)) => Ok(words),
            Ok(status) => Err(format!("the second process failed: {status:?}")),
            Err(error) => Err(format!("waitpid: {error}")),
        }
    }
}
