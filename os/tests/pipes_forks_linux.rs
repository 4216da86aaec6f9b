//! Servers that have forked: a name is the process's that bound it, and not its children's.
#![cfg(target_os = "linux")]

#[path = "common/process.rs"]
mod process;

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{ForkResult, Pid, fork, pause};
use process::{Helper, role, say};
use strait_os::pipe::{
    ConnectError, MessageListener, MessagePipe, Pipe, PipeError, PipeListener, PipeName, PipeOptions,
};

const LONG: Duration = Duration::from_secs(30);
const VAIN: Duration = Duration::from_millis(50);

fn unique(test: &str) -> PipeName {
    PipeName::new(&format!("forks-{}-{test}", std::process::id())).expect("a name")
}

/// A child of a helper, which is killed in the end.
struct Worker(Pid);

impl Worker {
    /// The one that the helper has forked, once that pauses: until a child first runs, it has all that its parent had
    /// open.
    fn of(helper: &mut Helper) -> Self {
        let worker = Self(Pid::from_raw(helper.hear().parse().expect("a process id")));
        let stat = || std::fs::read_to_string(format!("/proc/{}/stat", worker.0)).expect("it lives");
        let start = Instant::now();
        while !stat().contains(") S ") {
            assert!(start.elapsed() < LONG, "it does not pause");
            thread::sleep(Duration::from_millis(1));
        }
        worker
    }

    fn lives(&self) -> bool {
        kill(self.0, None).is_ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
    }
}

#[test]
fn a_dead_servers_name_is_free_whoever_it_forked() {
    let name = unique("bytes");
    let mut server = Helper::start("serve-bytes", name.as_str());
    let worker = Worker::of(&mut server);
    let options = PipeOptions::new();
    drop(Pipe::connect_timeout(&name, &options, LONG).expect("it serves"));
    assert!(matches!(PipeListener::bind(&name, &options), Err(strait_os::pipe::BindError::AlreadyExists)));
    server.kill();
    assert!(worker.lives(), "it was to outlive the server");
    let refused = Pipe::connect_timeout(&name, &options, VAIN).err();
    assert_eq!(refused, Some(ConnectError::NotFound), "nobody serves any more");
    let mut successor = PipeListener::bind(&name, &options).expect("the name is free");
    let client = Pipe::connect_timeout(&name, &options, LONG).expect("the successor serves");
    let mut accepted = successor.accept_timeout(LONG).expect("the client");
    drop(client);
    assert_eq!(accepted.read_timeout(&mut [0; 1], LONG), Err(PipeError::PeerEnded));
    assert!(worker.lives());
}

#[test]
fn messages_too() {
    let name = unique("messages");
    let mut server = Helper::start("serve-messages", name.as_str());
    let worker = Worker::of(&mut server);
    server.kill();
    let options = PipeOptions::new();
    assert!(worker.lives());
    let refused = MessagePipe::connect_timeout(&name, &options, VAIN).err();
    assert_eq!(refused, Some(ConnectError::NotFound));
    MessageListener::bind(&name, &options).expect("the name is free");
}

#[test]
fn a_forked_child_does_not_serve_and_takes_nothing_away() {
    let name = unique("child");
    let mut server = Helper::start("child-tries", name.as_str());
    assert_eq!(server.hear(), "accept: Os, bound before the fork: true");
    let options = PipeOptions::new();
    let mut client = Pipe::connect_timeout(&name, &options, LONG).expect("the parent serves on");
    assert_eq!(server.hear(), "parent: accepted");
    assert_eq!(client.read_timeout(&mut [0; 1], LONG), Err(PipeError::PeerEnded));
    server.kill();
}

/// Forks. The child pauses; the parent says its number, and pauses.
fn with_a_worker() {
    // SAFETY: the child makes system calls alone.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Child => loop {
            pause();
        },
        ForkResult::Parent { child } => say(&child.to_string()),
    }
    loop {
        pause();
    }
}

fn child_tries(name: &PipeName) {
    let mut listener = PipeListener::bind(name, &PipeOptions::new()).expect("a listener");
    let mut other = listener.try_clone().expect("another handle");
    // SAFETY: the only other thread of this process waits for this one; the C library keeps its
    // allocator usable in the child.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Child => {
            let error = other.accept_timeout(VAIN).expect_err("it is the parent's");
            let kind = if matches!(error, PipeError::Os(_)) { "Os" } else { "another" };
            say(&format!("accept: {kind}, bound before the fork: {}", error.to_string().contains("fork")));
            drop((listener, other));
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("its end");
            drop(listener.accept_timeout(LONG).expect("a client"));
            say("parent: accepted");
        }
    }
}

#[test]
fn helper() {
    let Some((role, name)) = role() else { return };
    process::end_in_a_while();
    let name = PipeName::new(&name).expect("a name");
    let options = PipeOptions::new();
    match role.as_str() {
        "serve-bytes" => {
            let _listener = PipeListener::bind(&name, &options).expect("a listener");
            with_a_worker();
        }
        "serve-messages" => {
            let _listener = MessageListener::bind(&name, &options).expect("a listener");
            with_a_worker();
        }
        _ => child_tries(&name),
    }
}
