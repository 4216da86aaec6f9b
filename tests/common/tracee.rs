//! A child that its parent traces: stopped, stepped by instructions or by system calls, killed.

use std::io::BufRead;

use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, gettid};

use super::{Kid, Name, tell};

/// The child's side: says which thread is to be traced, and waits until it is.
pub fn be_traced() {
    tell(&gettid().to_string());
    std::io::stdin().lock().lines().next();
}

/// The child's side: stops, until the parent goes on. One system call, and only that.
pub fn stop() {
    let (process, thread) = (getpid().as_raw(), gettid().as_raw());
    stop_thread(process, thread);
}

/// The child's side: stops, does something, and stops again; in between is nothing else.
pub fn stop_around<R>(work: impl FnOnce() -> R) -> R {
    let (process, thread) = (getpid().as_raw(), gettid().as_raw());
    stop_thread(process, thread);
    let result = work();
    stop_thread(process, thread);
    result
}

fn stop_thread(process: i32, thread: i32) {
    // SAFETY: the call takes three numbers and touches no memory.
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGSTOP) };
}

/// A child's thread, traced by this one, and stopped whenever this one runs.
pub struct Tracee {
    thread: Pid,
}

impl Tracee {
    /// Starts a child in `role` and traces the thread that calls [`be_traced`] there.
    ///
    /// # Errors
    ///
    /// If this process may not trace its children.
    pub fn spawn(role: &str, name: &Name) -> nix::Result<(Kid, Self)> {
        let mut kid = Kid::spawn("child", role, name);
        let thread = Pid::from_raw(kid.hear().parse().expect("the child tells its thread"));
        ptrace::attach(thread)?;
        let tracee = Self { thread };
        tracee.wait_for_stop();
        kid.answer();
        Ok((kid, tracee))
    }

    /// Which thread.
    pub fn thread(&self) -> Pid {
        self.thread
    }

    /// Lets it run until it stops itself.
    pub fn run_to_stop(&self) {
        ptrace::cont(self.thread, None).expect("it is stopped");
        self.wait_for_stop();
    }

    /// Executes one instruction; answers whether the child goes on. Otherwise that instruction was the
    /// call by which it stops itself.
    pub fn step(&self) -> bool {
        ptrace::step(self.thread, None).expect("it is stopped");
        self.goes_on()
    }

    /// Goes on to the next boundary of a system call, before it or after it; answers as
    /// [`step`](Self::step).
    pub fn next_call(&self) -> bool {
        ptrace::syscall(self.thread, None).expect("it is stopped");
        self.goes_on()
    }

    fn goes_on(&self) -> bool {
        match self.stopped_by() {
            Signal::SIGTRAP => true,
            Signal::SIGSTOP => false,
            other => panic!("the child was stopped by {other}"),
        }
    }

    fn wait_for_stop(&self) {
        assert_eq!(self.stopped_by(), Signal::SIGSTOP, "the child should have stopped itself");
    }

    fn stopped_by(&self) -> Signal {
        match waitpid(self.thread, Some(WaitPidFlag::__WALL)).expect("it is ours") {
            WaitStatus::Stopped(_, signal) => signal,
            other => panic!("the child should have stopped, and did not: {other:?}"),
        }
    }

    /// Kills the child where it stands, and waits until it is dead.
    pub fn kill(self, mut kid: Kid) {
        let process = Pid::from_raw(kid.pid());
        kill(process, Signal::SIGKILL).expect("the child can be killed");
        if self.thread != process {
            // A traced thread stays until its tracer has asked for it.
            while !matches!(
                waitpid(self.thread, Some(WaitPidFlag::__WALL)),
                Ok(WaitStatus::Signaled(..) | WaitStatus::Exited(..)) | Err(_)
            ) {}
        }
        kid.wait();
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        // A thread that is traced when it is killed stays until its tracer has asked for it.
        let _ = ptrace::detach(self.thread, None);
    }
}
