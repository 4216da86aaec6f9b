//! A server for QEMU's device `ivshmem-doorbell`: it hands out the memory that a host and its guests share, and the
//! eventfds by which they wake each other, and it learns of a guest's death within milliseconds.
//!
//! `cargo run --example ivshmem_server -- serve SOCKET MEMORY VECTORS` serves until it is ended, and prints who comes and goes;
//! MEMORY is a file whose length is a power of two, best in `/dev/shm`. QEMU is told
//! `-chardev socket,path=SOCKET,id=bell -device ivshmem-doorbell,chardev=bell,vectors=VECTORS`. Whoever may connect to the
//! socket has the memory: put it into a folder of one user.
//!
//! `qemu COMMAND..` starts a real QEMU with that device, and kills it; the lane `guest` runs that.
//!
//! Without arguments it plays all parts: a server, a process of the host, and another process in QEMU's place, which
//! speaks the same protocol, maps the memory, and is killed. The end of a socket is news; what proves that the guest has
//! ended is the end of the process that connected it, which `GuestWatch` asks for. By that the host can take over what the
//! guest held: see the example `guest`. A program that dies in a guest that lives shows nothing here.

#[cfg(target_os = "linux")]
mod common;
#[cfg(target_os = "linux")]
#[path = "common/ivshmem.rs"]
mod ivshmem;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::os::fd::{AsFd, OwnedFd};
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use strait::linux::GuestWatch;
    use strait::unix::RegionWindow;
    use strait::{Channel, Plan, RegionOptions};

    use super::common::{self, Folder, Other, PATIENCE, Result};
    use super::ivshmem::{News, Peer, Server};

    const PLAN: Plan =
        Plan::new(&[Channel::slots::<u64>("questions", 16), Channel::slots::<u64>("answers", 16)]);
    const SIZE: u64 = 1 << 20;
    const VECTORS: usize = 2;
    const ROUNDS: u64 = 1000;
    /// How soon a death must show, on a machine that is busy.
    const SOON: Duration = Duration::from_secs(5);

    /// Wakes the one whose vector this is.
    fn ring(bell: &OwnedFd) -> Result<()> {
        File::from(bell.try_clone()?).write_all(&1_u64.to_ne_bytes())?;
        Ok(())
    }

    /// Sleeps until somebody rings.
    fn sleep(bell: &OwnedFd) -> Result<()> {
        let timeout = PollTimeout::try_from(PATIENCE)?;
        if poll(&mut [PollFd::new(bell.as_fd(), PollFlags::POLLIN)], timeout)? == 0 {
            return Err("nobody rang".into());
        }
        File::from(bell.try_clone()?).read_exact(&mut [0; 8])?;
        Ok(())
    }

    fn serve(socket: &str, memory: &str, vectors: &str) -> Result<()> {
        let memory = File::options().read(true).write(true).open(memory)?;
        let mut server = Server::new(Path::new(socket), memory, vectors.parse()?, GuestWatch::new(1))?;
        loop {
            match server.next()? {
                News::Came(number) => println!("client {number} has come"),
                News::Gone(number) => println!("client {number} is gone"),
            }
        }
    }

    /// In the place of QEMU and a program in its guest: answers each question when it is rung for.
    fn guest(socket: &str, path: &str) -> Result<()> {
        let peer = Peer::connect(Path::new(socket), VECTORS)?;
        assert_eq!(
            peer.memory.metadata()?.ino(),
            std::fs::metadata(path)?.ino(),
            "the memory that came is that file"
        );
        let host = peer.others.get(&0).ok_or("the host is there")?;
        let region = RegionWindow::new(path, 0).open(&RegionOptions::new())?;
        let mut questions = region.typed_consumer::<u64>("questions")?;
        let mut answers = region.typed_producer::<u64>("answers")?;
        loop {
            while let Ok(question) = questions.try_recv() {
                answers.try_send(&(question * 2))?;
                ring(&host[0])?;
            }
            sleep(&peer.own[0])?;
        }
    }

    /// New memory at `path`.
    fn memory(path: &str) -> Result<File> {
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        file.set_len(SIZE)?;
        Ok(file)
    }

    /// A server in a thread, its first client, and what the server sees.
    fn start(socket: &str, memory: File, watch: &GuestWatch) -> Result<(Peer, mpsc::Receiver<News>)> {
        let mut server = Server::new(Path::new(socket), memory, VECTORS, watch.clone())?;
        let (told, seen) = mpsc::channel();
        std::thread::spawn(move || while server.next().is_ok_and(|news| told.send(news).is_ok()) {});
        let host = Peer::connect(Path::new(socket), VECTORS)?;
        assert_eq!((host.number, seen.recv_timeout(PATIENCE)?), (0, News::Came(0)));
        Ok((host, seen))
    }

    /// Lets a real QEMU, whose command this is, connect, and kills it.
    fn emulator(command: &[&str]) -> Result<()> {
        let folder = Folder::new("ivshmem-qemu")?;
        let socket = folder.path("socket");
        let watch = GuestWatch::new(1);
        let (mut host, seen) = start(&socket, memory(&folder.path("memory"))?, &watch)?;
        let (program, args) = command.split_first().ok_or("no command")?;
        let chardev = format!("socket,path={socket},id=bell");
        let device = format!("ivshmem-doorbell,chardev=bell,vectors={VECTORS}");
        let mut qemu = Command::new(program)
            .args(args)
            .args(["-S", "-display", "none", "-chardev", &chardev, "-device", &device])
            .stdin(Stdio::null())
            .spawn()?;
        let came = seen.recv_timeout(PATIENCE);
        let start = Instant::now();
        assert!(!watch.has_ended(), "it runs");
        qemu.kill()?;
        qemu.wait()?;
        assert!(watch.has_ended(), "all that it had of the memory is gone");
        assert_eq!((host.next()?, came?), (News::Came(1), News::Came(1)));
        assert_eq!((host.next()?, seen.recv_timeout(PATIENCE)?), (News::Gone(1), News::Gone(1)));
        let late = start.elapsed();
        assert!(late < SOON, "{late:?}");
        println!("QEMU connected; its death was known after {late:.1?}");
        Ok(())
    }

    fn demo() -> Result<()> {
        let folder = Folder::new("ivshmem-server")?;
        let (socket, path) = (folder.path("socket"), folder.path("memory"));
        let file = memory(&path)?;
        let region = RegionWindow::new(&path, 0).create(&PLAN, &RegionOptions::new())?;
        let watch = GuestWatch::new(1);
        let (mut host, seen) = start(&socket, file, &watch)?;
        let mut questions = region.typed_producer::<u64>("questions")?;
        let mut answers = region.typed_consumer::<u64>("answers")?;
        // The second one has the first one's number, and goes on in its place.
        for run in 0..2 {
            let other = Other::start(&["guest", &socket, &path])?;
            assert_eq!((host.next()?, seen.recv_timeout(PATIENCE)?), (News::Came(1), News::Came(1)));
            for question in run * ROUNDS..(run + 1) * ROUNDS {
                questions.try_send(&question)?;
                ring(&host.others[&1][0])?;
                let answer = loop {
                    match answers.try_recv() {
                        // The last question of one that was killed may be answered twice.
                        Ok(answer) if answer < question * 2 => {}
                        Ok(answer) => break answer,
                        Err(_) => sleep(&host.own[0])?,
                    }
                };
                assert_eq!(answer, question * 2, "in run {run}");
            }
            let start = Instant::now();
            assert!(!watch.has_ended(), "it runs");
            other.kill()?;
            assert!(watch.has_ended(), "all that it had of the memory is gone");
            assert_eq!((host.next()?, seen.recv_timeout(PATIENCE)?), (News::Gone(1), News::Gone(1)));
            let late = start.elapsed();
            assert!(late < SOON, "{late:?}");
            println!(
                "{ROUNDS} questions answered, each with two doorbells; the death was known after {late:.1?}"
            );
        }
        Ok(())
    }

    pub fn main() -> Result<()> {
        common::play(|args| match args {
            [] => demo(),
            ["guest", socket, memory] => guest(socket, memory),
            ["qemu", command @ ..] => emulator(command),
            ["serve", socket, memory, vectors] => serve(socket, memory, vectors),
            _ => common::usage("none, or `serve SOCKET MEMORY VECTORS`, or `qemu COMMAND..`"),
        })
    }
}

#[cfg(target_os = "linux")]
use linux::main;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("SKIPPED: eventfds are Linux's");
}
