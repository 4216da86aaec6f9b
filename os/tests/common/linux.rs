//! Namespaces, and the tokens of other machines.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use nix::fcntl::{FcntlArg, fcntl};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::command;

/// In a helper: gives the calling thread mounts of its own. `Err` says why not.
pub fn own_mounts() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("no mounts of our own: {error}"))?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|error| format!("mounts cannot be made private: {error}"))
}

/// In a helper: plays `role` in the first process of a PID namespace of its own, which ends with the
/// helper. `Err` says why not.
#[track_caller]
pub fn in_pid_namespace(role: &str, argument: &str) -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWPID).map_err(|error| format!("no PID namespace: {error}"))?;
    let mut command = command(role, argument);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit());
    // SAFETY: the closure makes one system call, in a forked child.
    unsafe { command.pre_exec(end_with_parent) };
    let mut child = command.spawn().map_err(|error| format!("no process there: {error}"))?;
    child.wait().map(drop).map_err(|error| error.to_string())
}

fn end_with_parent() -> std::io::Result<()> {
    // SAFETY: the call takes numbers.
    unsafe { nix::libc::prctl(nix::libc::PR_SET_PDEATHSIG, nix::libc::SIGKILL) };
    Ok(())
}

/// A machine's kernel is another one, so this one knows nothing of its tokens: all of them are given back.
pub fn forget_tokens() {
    let open = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    let numbers: Vec<i32> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers {
        // SAFETY: the number is one of this process, or no descriptor any more, which the call refuses.
        let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
        let mut all = nix::libc::flock { l_type: 0, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
        all.l_type = nix::libc::F_UNLCK as _;
        let _ = fcntl(fd, FcntlArg::F_OFD_SETLK(&all));
    }
}
