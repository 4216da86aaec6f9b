//! A server of files on a named pipe, with four instances, each in a thread: it opens what a client names with
//! the client's rights, and sends back the content or a refusal. The client checks the server's identity.
//!
//! Asserts that four clients are served at once; that each got exactly what it could have read by itself, so that
//! a file which it may not read is refused by a server which may; that a FIFO, whose opening would wait for its
//! other end, is refused and keeps no instance busy; that on Windows one that does not let the server
//! act for it gets nothing; and that one that expects another's server never asks. Says what cannot be tried here.

mod common;

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::{Folder, Other, PATIENCE, Result};
use embedded_io::Write;
use strait::pipe::{ConnectError, Pipe, PipeError, PipeListener, PipeName, PipeOptions, User};

const INSTANCES: u32 = 4;
/// Bytes of the longest request, and of the longest file that is served whole.
const LONGEST: usize = 1 << 20;

/// The first byte of an answer.
const GRANTED: u8 = b'+';
const REFUSED: u8 = b'-';

static SERVED: AtomicU32 = AtomicU32::new(0);
static REFUSALS: AtomicU32 = AtomicU32::new(0);
static PRESENT: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);
static DONE: AtomicBool = AtomicBool::new(false);

/// Reads up to and with `stop`, or up to the end.
fn read_until(pipe: &mut Pipe, stop: Option<u8>) -> Result<Vec<u8>> {
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    while read.len() <= LONGEST && (stop.is_none() || read.last() != stop.as_ref()) {
        match pipe.read_timeout(&mut buffer, PATIENCE) {
            Ok(len) => read.extend(&buffer[..len]),
            Err(PipeError::PeerEnded) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(read)
}

/// Opens a regular file. A client must not choose what the server waits for: a FIFO without a writer, a device.
fn open(path: &str) -> std::io::Result<File> {
    let file = common::os::without_waiting(File::options().read(true)).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::Error::other("no regular file")) }
}

/// The content of a file that the client may read.
fn content(pipe: &Pipe, path: &[u8]) -> Result<Vec<u8>> {
    let path = std::str::from_utf8(path)?.trim_end();
    let client = pipe.impersonate()?;
    let file = open(path);
    client.revert();
    let mut content = Vec::new();
    file?.take(LONGEST as u64).read_to_end(&mut content)?;
    Ok(content)
}

fn answer(pipe: &mut Pipe) -> Result<()> {
    let request = read_until(pipe, Some(b'\n'))?;
    if request.is_empty() {
        return Ok(()); // It wanted another server.
    }
    let (count, first, rest) = match content(pipe, &request) {
        Ok(content) => (&SERVED, GRANTED, content),
        Err(error) => (&REFUSALS, REFUSED, error.to_string().into_bytes()),
    };
    count.fetch_add(1, Relaxed);
    pipe.write_all(&[first])?;
    pipe.write_all(&rest)?;
    Ok(pipe.flush()?)
}

/// One of the instances.
fn serve(mut listener: PipeListener) {
    while !DONE.load(Relaxed) {
        let mut pipe = match listener.accept_timeout(Duration::from_millis(50)) {
            Err(PipeError::TimedOut) => continue,
            other => other.expect("a client"),
        };
        MOST.fetch_max(PRESENT.fetch_add(1, Relaxed) + 1, Relaxed);
        // To show that each instance serves one, the first clients wait until each has one.
        let start = Instant::now();
        while MOST.load(Relaxed) < INSTANCES && start.elapsed() < PATIENCE / 2 {
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Err(error) = answer(&mut pipe) {
            eprintln!("a client was not answered: {error}");
        }
        PRESENT.fetch_sub(1, Relaxed);
    }
}

/// How a client finds a server that lets in everybody, and is this user's.
fn served_by(user: &str) -> Result<PipeOptions> {
    Ok(PipeOptions::new().public(true).served_by(&User::parse(user).ok_or("no such user")?))
}

/// A client; `how` is "as-nobody", "as-ourselves", "unwilling" to be acted for, or "for-a-fifo".
fn fetch(name: &str, server: &str, pid: &str, path: &str, how: &str) -> Result<()> {
    if how == "as-nobody" {
        common::os::become_nobody()?;
    }
    let options = served_by(server)?.may_impersonate(how != "unwilling");
    let mut pipe = Pipe::connect_timeout(&PipeName::new(name)?, &options, PATIENCE)?;
    assert!(pipe.peer()?.pid().is_none_or(|found| found.to_string() == pid), "the server's process");
    pipe.write_all(format!("{path}\n").as_bytes())?;
    let answer = read_until(&mut pipe, None)?;
    let (verdict, content) = answer.split_first().ok_or("no answer")?;
    if how == "for-a-fifo" {
        assert_eq!(*verdict, REFUSED);
        return Ok(());
    }
    match std::fs::read(path) {
        Ok(own) if how != "unwilling" || !common::os::client_decides() => {
            assert!(*verdict == GRANTED && content == own, "{}", String::from_utf8_lossy(content));
        }
        _ => assert_eq!(*verdict, REFUSED),
    }
    Ok(())
}

fn run() -> Result<()> {
    let folder = Folder::new("file-server")?;
    let [open, secret, fifo] = ["open", "secret", "fifo"].map(|name| folder.path(name));
    std::fs::write(&open, "for all\n".repeat(30_000))?;
    let hidden = common::os::hide(&secret)?;
    let has_fifo = common::os::make_fifo(&fifo)?;

    let name = common::fresh_name("files");
    let options = PipeOptions::new().public(true).instances(INSTANCES);
    let listener = PipeListener::bind(&PipeName::new(&name)?, &options)?;
    for _ in 0..INSTANCES {
        let listener = listener.try_clone()?;
        std::thread::spawn(|| serve(listener));
    }
    let (server, pid) = (User::current().to_string(), std::process::id().to_string());
    // One for each instance, were it to wait.
    let fifos = if has_fifo { INSTANCES } else { 0 };
    let asked = [
        (&open, "as-nobody"),
        (&secret, "as-nobody"),
        (&open, "as-ourselves"),
        (&secret, "as-ourselves"),
        (&open, "unwilling"),
    ];
    let start = |(path, how): (&String, &str)| Other::start(&["fetch", &name, &server, &pid, path, how]);
    let first = std::iter::repeat_n((&fifo, "for-a-fifo"), fifos as usize);
    let clients: Result<Vec<_>> = first.chain(asked).chain(asked).map(start).collect();
    clients?.into_iter().try_for_each(Other::finish)?;

    let stranger = served_by(common::os::STRANGER)?;
    let wrong = Pipe::connect_timeout(&PipeName::new(&name)?, &stranger, Duration::from_millis(100)).err();
    assert!(matches!(wrong, Some(ConnectError::NotFound | ConnectError::WrongUser)), "{wrong:?}");
    DONE.store(true, Relaxed);

    let [served, refused, most] = [&SERVED, &REFUSALS, &MOST].map(|count| count.load(Relaxed));
    println!("{served} served, {refused} refused, {most} at a time");
    let unwilling = common::os::client_decides();
    if !hidden {
        println!("skipped: a file that may not be read; none could be made here");
    }
    if cfg!(windows) && !unwilling {
        println!("skipped: a client that does not let the server act for it; wine 8 does not heed that");
    }
    if !has_fifo {
        println!("skipped: a FIFO; there are none here");
    }
    // Root may read it, and so may a client of root.
    let hidden_from_us = File::open(&secret).is_err();
    let expected: u32 =
        [hidden, hidden_from_us, unwilling].map(|refuses| 2 * u32::from(refuses)).iter().sum();
    assert_eq!((served, refused, most), (10 - expected, expected + fifos, INSTANCES));
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => run(),
        ["fetch", name, server, pid, path, how] => fetch(name, server, pid, path, how),
        _ => common::usage("none"),
    })
}
