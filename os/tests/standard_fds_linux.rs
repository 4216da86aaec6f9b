//! Programs without standard streams: nothing that is kept gets their numbers.
#![cfg(target_os = "linux")]

mod common;

use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use common::{Helper, PLAN, Scratch, role_for_a_while, say, unique};
use nix::libc;
use strait_os::linux::{PiMutex, doorbell};
use strait_os::pipe::{
    Canceller, MessageListener, MessagePipe, Pipe, PipeListener, PipeName, PipeOptions, ReadEnd, WriteEnd,
};
use strait_os::{RegionFile, RegionOptions, SealedRegion};

const LONG: Duration = Duration::from_secs(30);
/// Where the helper puts its standard streams meanwhile.
const AWAY: RawFd = 100;

#[test]
fn nothing_that_is_kept_is_a_standard_stream() {
    let scratch = Scratch::new();
    let mut helper = Helper::start("closed", scratch.path("region"));
    assert_eq!(helper.hear(), "kept: []");
}

/// The standard streams that are open.
fn standard() -> Vec<RawFd> {
    // SAFETY: the call takes numbers.
    (0..3).filter(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0).collect()
}

/// What is kept under a standard stream's number, step by step.
fn kept(path: &str) -> Vec<(&'static str, RawFd)> {
    let mut kept = Vec::new();
    let mut look = |step: &'static str| kept.extend(standard().into_iter().map(|fd| (step, fd)));
    let options = RegionOptions::new();
    let region = RegionFile::new(path);
    let created = region.create(&PLAN, &options).expect("create");
    look("created");
    let opened = region.open(&options).expect("open");
    look("opened");
    let looking = region.open(&options.read_only(true)).expect("open");
    look("read-only");
    region.remove().expect("ours");
    let sealed = SealedRegion::create(&PLAN, &options).expect("sealed");
    look("sealed");
    // Sockets of the test's own, which must not take the numbers either.
    let blocks = [0, 1, 2].map(|_| std::fs::File::open("/dev/null").expect("a file"));
    let (ours, theirs) = UnixStream::pair().expect("sockets");
    drop(blocks);
    sealed.port().share(&ours).expect("shared");
    let received = SealedRegion::receive(&theirs, &options).expect("a region");
    look("received");
    let bell = doorbell().expect("a doorbell");
    look("a doorbell");
    let name = unique();
    let mutex = PiMutex::named(&name, &options); // Whatever this kernel says.
    let _ = PiMutex::remove(&name);
    look("a mutex");
    let canceller = Canceller::new().expect("a canceller");
    look("a canceller");
    let ends = (ReadEnd::pair().expect("a pipe"), WriteEnd::pair().expect("a pipe"));
    look("anonymous pipes");
    let name = PipeName::new(&unique()).expect("a name");
    let mut listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    look("a listener");
    let client = Pipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("a server");
    look("a client");
    let server = listener.accept_timeout(LONG).expect("a client");
    look("a server");
    let name = PipeName::new(&unique()).expect("a name");
    let messages = MessageListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let sender = MessagePipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("a server");
    look("messages");
    drop((created, opened, looking, sealed, received, bell, mutex, canceller, ends));
    drop((listener, client, server, messages, sender));
    kept
}

#[test]
fn helper() {
    let Some((_, path)) = role_for_a_while() else { return };
    for fd in 0..3 {
        // SAFETY: the calls take numbers; the streams come back before anything is said.
        unsafe { libc::dup2(fd, AWAY + fd) };
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
    let kept = std::panic::catch_unwind(|| kept(&path));
    for fd in 0..3 {
        // SAFETY: as above.
        unsafe { libc::dup2(AWAY + fd, fd) };
    }
    match kept {
        Ok(kept) => say(&format!("kept: {kept:?}")),
        Err(_) => say("a step failed"),
    }
}
