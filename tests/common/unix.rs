//! Killing and stopping, by signals.

use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

/// Whether a named region is there until it is removed.
pub const NAMED_STAYS: bool = true;

/// Ends this process at once, with nothing cleaned up.
pub fn die() -> ! {
    kill(getpid(), Signal::SIGKILL).expect("a process may kill itself");
    super::linger()
}

/// Stops a child.
pub fn stop(child: &Child) {
    signal(child, Signal::SIGSTOP);
}

/// Lets it go on.
pub fn go_on(child: &Child) {
    signal(child, Signal::SIGCONT);
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, signal).expect("the child is there");
}
