//! Regions in buffers of drivers (dma-bufs): two processes exchange values in one, one of them is killed, and the region is
//! made anew.

use std::fs::{self, File};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, dup, fork};
use strait::format::{Header, participants};
use strait::port::{Ident, Liveness as _, Port as _, Probe};
use strait::unix::{RegionWindow, WindowError};
use strait::{
    Channel, ChannelError, Consumer, LatestReader, Lock, LockError, Plan, Producer, Region, RegionOptions,
    SystemPort,
};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The second process's part, and how it gets the descriptor of this number: it has it, or a socket at which it comes.
pub const PEER: &str = "buffer-peer";
const INHERITED: &str = "inherited";
const SOCKET: &str = "socket";

const UDMABUF: &str = "/dev/udmabuf";
const HEAPS: &str = "/dev/dma_heap";

/// `UDMABUF_CREATE` and `DMA_HEAP_IOCTL_ALLOC`.
const FROM_MEMFD: u32 = 0x4018_7542;
const FROM_HEAP: u32 = 0xC018_4800;
const CLOSE_ON_EXEC: u32 = 1;

/// A region in each half.
const LEN: u64 = 1 << 20;
const HALF: u32 = 1 << 19;

/// For each wait: an emulator takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Frames each way.
const FRAMES: u32 = 300;
/// The tag of the last one.
const END: u32 = u32::MAX;

const PLAN: Plan<'static> = Plan::new(&[
    Channel::frames("down", 4096, 64).consumer_may_block(),
    Channel::frames("up", 4096, 64).consumer_may_block().producer_may_block(),
    Channel::latest::<u64>("state"),
    Channel::mutex::<u64>("lock"),
]);

/// `struct udmabuf_create`.
#[repr(C)]
struct FromMemfd {
    memfd: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

/// `struct dma_heap_allocation_data`.
#[repr(C)]
struct FromHeap {
    len: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
}

/// A dma-buf of the pages of a memfd, which is closed.
pub fn of_memfd(len: u64) -> Result<OwnedFd> {
    let device = File::options().read(true).write(true).open(UDMABUF)?;
    let memfd = memfd_create("pages", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let memfd = File::from(memfd);
    memfd.set_len(len)?;
    fcntl(&memfd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK))?;
    let asked =
        FromMemfd { memfd: memfd.as_raw_fd().try_into()?, flags: CLOSE_ON_EXEC, offset: 0, size: len };
    // SAFETY: the call reads the one struct, of the layout that it takes.
    let made = unsafe { libc::ioctl(device.as_raw_fd(), FROM_MEMFD as libc::Ioctl, &raw const asked) };
    let made = Errno::result(made)?;
    // SAFETY: the call made the descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// A buffer of this heap, whose descriptor is open as the flags say.
pub fn of_heap(heap: &Path, len: u64, access: libc::c_int) -> Result<OwnedFd> {
    let heap = File::open(heap)?;
    let fd_flags = (access | libc::O_CLOEXEC).try_into()?;
    let mut asked = FromHeap { len, fd: 0, fd_flags, heap_flags: 0 };
    // SAFETY: the call reads and writes the one struct, of the layout that it takes.
    let made = unsafe { libc::ioctl(heap.as_raw_fd(), FROM_HEAP as libc::Ioctl, &raw mut asked) };
    Errno::result(made)?;
    // SAFETY: the call made the descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(asked.fd.try_into()?) })
}

/// Tries every kind of buffer that the system has, says which, and returns how many.
pub fn run() -> Result<u32> {
    let mut tried = 0;
    match of_memfd(LEN) {
        Ok(buffer) => {
            all(buffer).map_err(|error| format!("a udmabuf: {error}"))?;
            println!("a udmabuf: passed");
            tried += 1;
        }
        Err(error) => println!("SKIPPED: a udmabuf: {UDMABUF}: {error}"),
    }
    let heaps: Vec<_> = fs::read_dir(HEAPS).into_iter().flatten().flatten().collect();
    if heaps.is_empty() {
        println!("SKIPPED: a buffer of a dma-heap: there is none in {HEAPS}");
    }
    for heap in heaps.iter().map(fs::DirEntry::path) {
        let name = heap.display();
        match of_heap(&heap, LEN, libc::O_RDWR) {
            Ok(buffer) => {
                all(buffer).map_err(|error| format!("{name}: {error}"))?;
                let to_read = of_heap(&heap, LEN, libc::O_RDONLY)?;
                let refused = RegionWindow::of_descriptor(to_read, 0).create(&PLAN, &RegionOptions::new());
                is(refused.err() == Some(WindowError::DescriptorAccess), "a buffer to be read is refused")?;
                println!("a buffer of {name}: passed");
                tried += 1;
            }
            Err(error) => println!("SKIPPED: a buffer of {name}: {error}"),
        }
    }
    Ok(tried)
}

fn is(so: bool, what: &str) -> Result<()> {
    if so { Ok(()) } else { Err(format!("it is not so that {what}").into()) }
}

/// All that a buffer can.
fn all(buffer: OwnedFd) -> Result<()> {
    let options = RegionOptions::new();
    let whole = RegionWindow::of_descriptor(buffer.try_clone()?, 0);
    let window = whole.clone().len(HALF);
    refused(&buffer)?;
    // All descriptors are one open file description, for it cannot be opened again.
    let again = format!("/proc/self/fd/{}", buffer.as_raw_fd());
    is(File::options().read(true).write(true).open(again).is_err(), "a buffer cannot be opened again")?;
    let region = window.create(&PLAN, &options.prefault(true))?;
    is(window.create(&PLAN, &options).err() == Some(WindowError::AlreadyExists), "a region is there")?;
    is(region.port().is_current()?, "it is current, without a name")?;
    let second = RegionWindow::of_descriptor(buffer.try_clone()?, HALF.into());
    let beside = second.create(&PLAN, &options)?;

    // A peer that has the descriptor from its parent, and is killed with a role and a lock.
    let mut peer = Peer::inheriting(&buffer)?;
    let mut ours = Ours::open(&region)?;
    ours.exchange(1)?;
    forked(&region, &mut ours)?;
    let peers = ours.up_is_taken_by(&region)?;
    is(region.port().probe(peers) == Probe::Unknown, "a living one is unknown")?;
    peer.kill()?;
    is(region.port().probe(peers) == Probe::Unknown, "a dead one is unknown too, and no death is made up")?;
    is(region.producer("up").err() == Some(ChannelError::Busy), "its role stays taken")?;
    is(matches!(region.mutex::<u64>("lock")?.try_lock(), Err(LockError::Busy)), "and its lock")?;
    is(ours.state.read().value() == Some(u64::from(FRAMES)), "what it published stays")?;
    drop((ours, region));

    // Another process opens it again, and finds what was there; what remains is to make the region anew.
    let next = window.open(&options)?;
    is(
        next.latest_reader::<u64>("state")?.read().value() == Some(u64::from(FRAMES)),
        "the next run reads it",
    )?;
    is(next.producer("up").err() == Some(ChannelError::Busy), "the role is still taken")?;
    drop(next);
    window.erase(&options)?;
    let region = window.create(&PLAN, &options)?;
    let mut peer = Peer::over_a_socket(&buffer)?;
    let mut ours = Ours::open(&region)?;
    ours.exchange(2)?;
    ours.down.try_send(END, &[])?;
    peer.end()?;
    is(region.producer("up").is_ok(), "the role of one that has left is free")?;
    is(matches!(region.mutex::<u64>("lock")?.try_lock(), Ok(Lock::Held(_))), "and its lock")?;
    is(beside.latest_reader::<u64>("state")?.read().value().is_none(), "the region beside it is another")
}

/// What cannot be a window.
fn refused(buffer: &OwnedFd) -> Result<()> {
    let options = RegionOptions::new();
    let refused = |offset, len: Option<u32>| {
        let window = RegionWindow::of_descriptor(buffer.try_clone()?, offset);
        let window = len.map_or(window.clone(), |len| window.len(len));
        window
            .create(&PLAN, &options)
            .err()
            .ok_or("a region in what is no window")
            .map_err(Box::<dyn std::error::Error>::from)
    };
    let end = WindowError::OutOfRange { end: LEN + u64::from(HALF), len: LEN };
    is(refused(LEN - u64::from(HALF), Some(2 * HALF))? == end, "the buffer's length is known")?;
    is(matches!(refused(8, None)?, WindowError::Unaligned { offset: 8, .. }), "a window starts on a page")?;
    is(matches!(refused(0, Some(4096))?, WindowError::Create(_)), "a page is too short")
}

/// A forked child has a copy, and its endpoints say that they are a child's.
fn forked(region: &Region, ours: &mut Ours) -> Result<()> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            // A sender that knows of free space looks at the memory later.
            let mut sent = (0..FRAMES).map(|_| ours.down.try_send(99, b"of the child"));
            let told = sent.any(|sent| sent.is_err_and(|why| format!("{why:?}").contains("Forked")));
            let seen = Header::check(region.port().mem()).is_ok();
            std::process::exit(i32::from(!(told && seen && region.port().forked())));
        }
        ForkResult::Parent { child } => {
            is(waitpid(child, None)? == WaitStatus::Exited(child, 0), "a child is told that it is one")?;
            ours.exchange(1)
        }
    }
}

/// This process's side.
struct Ours {
    down: Producer<SystemPort>,
    up: Consumer<SystemPort>,
    state: LatestReader<u64, SystemPort>,
}

impl Ours {
    fn open(region: &Region) -> Result<Self> {
        Ok(Self {
            down: region.producer("down")?,
            up: region.consumer("up")?,
            state: region.latest_reader("state")?,
        })
    }

    /// Sends frames, each of which comes back, both sides asleep in between.
    fn exchange(&mut self, salt: u8) -> Result<()> {
        let mut buf = [0; 64];
        for tag in 1..=FRAMES {
            let sent = vec![tag as u8 ^ salt; tag as usize % 64];
            self.down.try_send(tag, &sent)?;
            let got = self.up.recv_timeout(&mut buf, PATIENCE)?;
            is((got.tag, &buf[..got.len]) == (tag, &sent[..]), "a frame comes back as it was sent")?;
        }
        is(self.state.read().value() == Some(u64::from(FRAMES)), "the peer's state is known")
    }

    /// The peer, by the role that it has.
    fn up_is_taken_by(&self, region: &Region) -> Result<Ident> {
        let port = region.port();
        let mut all = participants::list(port.mem(), region.header(), port);
        let other = all.find(|one| Some(one.ident) != port.ident()).map(|one| one.ident);
        Ok(other.ok_or("the peer takes no part")?)
    }
}

/// The second process, killed when this goes out of use.
struct Peer(Child);

impl Peer {
    fn inheriting(buffer: &OwnedFd) -> Result<Self> {
        // Unlike the buffer's own, this one is open in the program that is executed.
        let copy = dup(buffer)?;
        Self::start(INHERITED, copy.as_raw_fd())
    }

    fn over_a_socket(buffer: &OwnedFd) -> Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let theirs = dup(&theirs)?;
        let peer = Self::start(SOCKET, theirs.as_raw_fd())?;
        let fds = [buffer.as_raw_fd()];
        let rights = [ControlMessage::ScmRights(&fds)];
        sendmsg::<()>(ours.as_raw_fd(), &[IoSlice::new(b"!")], &rights, MsgFlags::empty(), None)?;
        Ok(peer)
    }

    fn start(how: &str, number: RawFd) -> Result<Self> {
        Ok(Self(Command::new("/proc/self/exe").args([PEER, how, &number.to_string()]).spawn()?))
    }

    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return is(status.success(), "the peer ends well");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("the peer does not end".into())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The second process: it sends back what comes, with the lock in its hand, until it is killed or told that this is the end.
pub fn peer(how: &str, number: &str) -> Result<()> {
    // SAFETY: the number is the parent's descriptor for this process, which knows it from its arguments alone.
    let given = unsafe { OwnedFd::from_raw_fd(number.parse()?) };
    let buffer = if how == SOCKET { received(&given)? } else { given };
    let region = RegionWindow::of_descriptor(buffer, 0).len(HALF).open(&RegionOptions::new())?;
    let (mut down, mut up) = (region.consumer("down")?, region.producer("up")?);
    let (mut state, mut lock) = (region.latest_writer::<u64>("state")?, region.mutex::<u64>("lock")?);
    let Lock::Held(guard) = lock.try_lock()? else { return Err("somebody had died with the lock".into()) };
    let mut buf = [0; 64];
    loop {
        let got = down.recv_timeout(&mut buf, PATIENCE)?;
        if got.tag == END {
            drop(guard);
            return Ok(());
        }
        state.publish(&u64::from(got.tag));
        up.send_timeout(got.tag, &buf[..got.len], PATIENCE)?;
    }
}

fn received(socket: &OwnedFd) -> Result<OwnedFd> {
    let (mut mark, mut space) = ([0; 1], nix::cmsg_space!([RawFd; 1]));
    let mut data = [IoSliceMut::new(&mut mark)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut data, Some(&mut space), flags)?;
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = part
            && let [fd] = fds[..]
        {
            // SAFETY: the call made the descriptor, and nobody else knows it.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }
    Err("no descriptor came".into())
}
