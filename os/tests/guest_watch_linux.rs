//! What a doorbell server knows of a machine's end, with a process that plays QEMU's part. Numbers are those of the fault list.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::common::{Helper, Scratch, end_in_a_while, forget_tokens, hear, ident, probe, role, say};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use strait_core::port::{Ident, Probe};
use strait_core::{Channel, ChannelError, Lock, Plan};
use strait_os::linux::{GuestWatch, GuestWatchError};
use strait_os::unix::RegionWindow;
use strait_os::{Region, RegionOptions};

const PLAN: Plan<'static> = Plan::new(&[
    Channel::latest::<u64>("speed").domains(1, 0),
    Channel::slots::<u64>("answers", 4).consumer_may_block().domains(1, 0),
    Channel::mutex::<u64>("theirs").domains(1, 1),
]);

const OURS: RegionOptions = RegionOptions::new();
const THEIRS: RegionOptions = RegionOptions::new().domain(1);

/// The memory, the server's socket beside it, and what the server knows.
struct Server {
    scratch: Scratch,
    window: RegionWindow,
    listener: UnixListener,
    watch: GuestWatch,
}

impl Server {
    fn new() -> Self {
        let scratch = Scratch::new();
        let memory = scratch.path("memory");
        fs::write(&memory, vec![0; 1 << 20]).expect("a file");
        fs::set_permissions(&memory, Permissions::from_mode(0o600)).expect("its mode");
        let window = RegionWindow::new(&memory, 0);
        window.create(&PLAN, &OURS).expect("create");
        let listener = UnixListener::bind(scratch.path("socket")).expect("a socket");
        Self { scratch, window, listener, watch: GuestWatch::new(1) }
    }

    /// A machine that has connected and got its memory; the server's end of its socket, and who is in it.
    fn machine(&self) -> (Helper, UnixStream, Ident) {
        let mut qemu = Helper::start("qemu", self.scratch.path("memory"));
        let (mut socket, _) = self.listener.accept().expect("a client");
        self.watch.admit(&socket).expect("admitted");
        socket.write_all(b"!").expect("the memory");
        let who = qemu.hear_ident();
        (qemu, socket, who)
    }

    fn open(&self, options: &RegionOptions) -> Result<Region, GuestWatchError> {
        self.watch.open(&self.window, options)
    }
}

fn socket_beside(memory: &Path) -> PathBuf {
    memory.parent().expect("a folder").join("socket")
}

/// QEMU, and a program in its machine, which holds two roles and a lock.
fn qemu(memory: &Path) {
    let mut socket = UnixStream::connect(socket_beside(memory)).expect("a server");
    let mut byte = [0];
    if socket.read_exact(&mut byte).is_err() {
        return say("refused");
    }
    let region = RegionWindow::new(memory, 0).open(&THEIRS).expect("open");
    let mut speed = region.latest_writer::<u64>("speed").expect("the writer");
    let _answers = region.typed_producer::<u64>("answers").expect("the producer");
    let mut theirs = region.mutex::<u64>("theirs").expect("the mutex");
    let mut guard =
        theirs.try_lock().expect("free").or_roll_back().ok().expect("free, or of a machine before");
    guard.set(&1);
    speed.publish(&88);
    forget_tokens();
    say(&ident(&region).word().to_string());
    while hear() != "close" {}
    drop(socket);
    say("closed");
    hear();
}

#[test]
fn helper() {
    let Some((role, memory)) = role() else { return };
    end_in_a_while();
    assert_eq!(role, "qemu");
    qemu(Path::new(&memory));
}

#[test]
fn fault_138_what_a_killed_machine_held_is_taken_over_and_nothing_before() {
    let server = Server::new();
    let ours = server.open(&OURS).expect("open");
    let (mut qemu, _socket, who) = server.machine();
    // The kernel knows of no token, and it is the server's word that counts.
    assert_eq!(probe(&ours, who), Probe::Unknown);
    let plain = server.window.open(&OURS).expect("open");
    let running = Err(GuestWatchError::Running { domain: 1 });
    assert_eq!(server.open(&THEIRS).map(drop), running);

    // A socket that is closed is no end, nor is a machine that does nothing any more.
    qemu.tell("close");
    assert_eq!(qemu.hear(), "closed");
    assert_eq!(probe(&ours, who), Probe::Unknown);
    assert_eq!(server.open(&THEIRS).map(drop), running);

    qemu.kill();
    assert_eq!(probe(&ours, who), Probe::Dead);
    assert_eq!(probe(&plain, who), Probe::Unknown, "that one was not opened with the server's word");
    let mut answers = ours.typed_consumer::<u64>("answers").expect("the consumer");
    answers.end_with_peer(true);
    let error = answers.recv_timeout(std::time::Duration::from_secs(20)).err();
    assert_eq!(error, Some(strait_core::RecvError::PeerGone));

    let stand_in = server.open(&THEIRS).expect("open");
    assert_eq!(probe(&ours, ident(&stand_in)), Probe::Alive, "it is no machine's");
    assert_eq!(ours.latest_writer::<u64>("speed").err(), Some(ChannelError::Domain { planned: 1 }));
    let mut speed = stand_in.latest_writer::<u64>("speed").expect("taken over");
    let mut reader = ours.latest_reader::<u64>("speed").expect("the reader");
    assert_eq!(reader.read().value(), Some(88), "it is what the machine published last");
    speed.publish(&0);
    assert_eq!(reader.read().value(), Some(0));
    let mut theirs = stand_in.mutex::<u64>("theirs").expect("the mutex");
    assert!(matches!(theirs.try_lock(), Ok(Lock::OwnerDied(_))));
}

#[test]
fn fault_138_no_machine_comes_while_the_host_stands_in_for_it() {
    let server = Server::new();
    assert_eq!(server.open(&THEIRS).map(drop), Err(GuestWatchError::Running { domain: 1 }), "none has come");
    let (mut qemu, _socket, _) = server.machine();
    qemu.kill();
    let stand_in = server.open(&THEIRS).expect("open");
    let speed = stand_in.latest_writer::<u64>("speed").expect("taken over");
    drop(stand_in);

    // Its endpoint is still a participant.
    let mut next = Helper::start("qemu", server.scratch.path("memory"));
    let (socket, _) = server.listener.accept().expect("a client");
    assert_eq!(server.watch.admit(&socket), Err(GuestWatchError::StoodIn { domain: 1 }));
    drop(socket);
    assert_eq!(next.hear(), "refused");
    assert!(server.watch.has_ended(), "it was not admitted");

    drop(speed);
    let (_qemu, _socket, who) = server.machine();
    let ours = server.open(&OURS).expect("open");
    assert_eq!(probe(&ours, who), Probe::Unknown, "the next one runs");
    assert!(!server.watch.has_ended());
}

#[test]
fn of_two_machines_both_must_have_ended() {
    let server = Server::new();
    let ours = server.open(&OURS).expect("open");
    let (mut first, _first, who) = server.machine();
    let second = Helper::start("qemu", server.scratch.path("memory"));
    let (socket, _) = server.listener.accept().expect("a client");
    // Stopped, so that it does not end by itself.
    kill(Pid::from_raw(second.child.id() as i32), Signal::SIGSTOP).expect("stopped");
    server.watch.admit(&socket).expect("admitted");
    first.kill();
    assert_eq!(probe(&ours, who), Probe::Unknown);
    // One that the server itself shuts out is not known to have ended.
    socket.shutdown(std::net::Shutdown::Both).expect("shut down");
    assert_eq!(probe(&ours, who), Probe::Unknown);
    drop(second);
    assert_eq!(probe(&ours, who), Probe::Dead);
}

#[test]
fn a_client_that_has_ended_already_and_this_process_itself_are_not_noted() {
    let server = Server::new();
    let (ours, _other) = UnixStream::pair().expect("sockets");
    assert_eq!(server.watch.admit(&ours), Ok(()));
    assert!(!server.watch.has_ended(), "none has come");
    let mut qemu = Helper::start("qemu", server.scratch.path("memory"));
    let (socket, _) = server.listener.accept().expect("a client");
    qemu.kill();
    assert_eq!(server.watch.admit(&socket), Err(GuestWatchError::NoProcess));
}
