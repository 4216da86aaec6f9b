//! The protocol between QEMU's device `ivshmem-doorbell` and a server: both parts of it.
//!
//! The socket carries numbers of 64 bits, some with a descriptor. A client is told the version 0, its own number, -1 with
//! the memory, then for each other client and at last for itself its number with an eventfd, once for each vector. Later
//! a number with an eventfd is a vector of a new client, and one without is a client that has gone. Clients say nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use strait::linux::GuestWatch;

const VERSION: i64 = 0;
const MEMORY: i64 = -1;
/// The numbers that the device's register takes.
const MOST: i64 = 1 << 16;

/// What has become of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is there.
    Came(i64),
    /// Its end of the socket is closed: a guest's emulator has ended, however that was.
    Gone(i64),
}

struct Client {
    stream: UnixStream,
    bells: Vec<EventFd>,
}

impl Client {
    /// Tells a number. A client that is gone or reads nothing is found out by its socket.
    fn tell(&self, number: i64, with: Option<RawFd>) -> nix::Result<()> {
        let bytes = number.to_le_bytes();
        let fds: Vec<RawFd> = with.into_iter().collect();
        let rights = [ControlMessage::ScmRights(&fds)];
        let extra = if fds.is_empty() { &[][..] } else { &rights[..] };
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        match sendmsg::<()>(self.stream.as_raw_fd(), &[IoSlice::new(&bytes)], extra, flags, None)? {
            8 => Ok(()),
            _ => Err(Errno::EIO),
        }
    }

    fn introduce(&self, number: i64, other: &Self) -> nix::Result<()> {
        other.bells.iter().try_for_each(|bell| self.tell(number, Some(bell.as_fd().as_raw_fd())))
    }
}

/// A server: whoever may connect to its socket has the memory.
pub struct Server {
    listener: UnixListener,
    memory: File,
    vectors: usize,
    clients: BTreeMap<i64, Client>,
    watch: GuestWatch,
}

impl Server {
    /// Listens at a path that is free, best in a folder of this user alone. The memory's length must be a power of two. What
    /// this server knows of its clients' processes is in `watch`.
    pub fn new(socket: &Path, memory: File, vectors: usize, watch: GuestWatch) -> io::Result<Self> {
        if !memory.metadata()?.len().is_power_of_two() {
            return Err(io::Error::other(
                "the memory's length is no power of two, which a PCI device's must be",
            ));
        }
        let (listener, clients) = (UnixListener::bind(socket)?, BTreeMap::new());
        Ok(Self { listener, memory, vectors, clients, watch })
    }

    /// Waits for somebody to come or go, and returns who did. The others have been told.
    pub fn next(&mut self) -> io::Result<News> {
        loop {
            let listener = PollFd::new(self.listener.as_fd(), PollFlags::POLLIN);
            let streams =
                self.clients.values().map(|client| PollFd::new(client.stream.as_fd(), PollFlags::POLLIN));
            let mut polled: Vec<PollFd<'_>> = std::iter::once(listener).chain(streams).collect();
            match poll(&mut polled, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            let ready: Vec<bool> = polled.iter().map(|one| one.any().unwrap_or(true)).collect();
            // Clients say nothing: what can be read is their end, or none of the protocol.
            if let Some((&gone, _)) =
                self.clients.iter().zip(&ready[1..]).find(|(_, ready)| **ready).map(|(one, _)| one)
            {
                self.forget(gone);
                return Ok(News::Gone(gone));
            }
            if ready[0] {
                let (stream, _) = self.listener.accept()?;
                if let Some(number) = self.admit(stream)? {
                    return Ok(News::Came(number));
                }
            }
        }
    }

    /// The new client's number, if it got all that it must know.
    fn admit(&mut self, stream: UnixStream) -> io::Result<Option<i64>> {
        let Some(number) = (0..MOST).find(|number| !self.clients.contains_key(number)) else {
            return Ok(None);
        };
        // Before it has the memory, so that nobody is taken for dead who has it.
        if let Err(error) = self.watch.admit(&stream) {
            eprintln!("a client is refused: {error}");
            return Ok(None);
        }
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let bells: nix::Result<Vec<_>> =
            (0..self.vectors).map(|_| EventFd::from_value_and_flags(0, flags)).collect();
        let client = Client { stream, bells: bells? };
        let mut told = client
            .tell(VERSION, None)
            .and_then(|()| client.tell(number, None))
            .and_then(|()| client.tell(MEMORY, Some(self.memory.as_raw_fd())));
        for (&other, there) in &self.clients {
            told = told.and_then(|()| client.introduce(other, there));
        }
        if told.and_then(|()| client.introduce(number, &client)).is_err() {
            let _ = client.stream.shutdown(Shutdown::Both);
            return Ok(None);
        }
        self.each_other(|other| other.introduce(number, &client));
        self.clients.insert(number, client);
        Ok(Some(number))
    }

    fn forget(&mut self, gone: i64) {
        // The watch has a copy of its socket, for as long as its process runs.
        let _ = self.clients.remove(&gone).map(|client| client.stream.shutdown(Shutdown::Both));
        self.each_other(|other| other.tell(gone, None));
    }

    /// Tells the others. One that takes nothing is shut out: `next` then finds it gone.
    fn each_other(&self, tell: impl Fn(&Client) -> nix::Result<()>) {
        for client in self.clients.values().filter(|client| tell(client).is_err()) {
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }
}

/// A client: QEMU's part, or that of a process of the host.
pub struct Peer {
    stream: UnixStream,
    pub number: i64,
    pub memory: File,
    /// What wakes this client.
    pub own: Vec<OwnedFd>,
    /// What wakes the others.
    pub others: BTreeMap<i64, Vec<OwnedFd>>,
    vectors: usize,
}

impl Peer {
    /// Connects, and learns all that there is to know until its own last vector.
    pub fn connect(socket: &Path, vectors: usize) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        let wrong = || io::Error::other("this is no server of ivshmem");
        if hear(&stream)?.0 != VERSION {
            return Err(wrong());
        }
        let (number, _) = hear(&stream)?;
        let (MEMORY, Some(memory)) = hear(&stream)? else { return Err(wrong()) };
        let (own, others) = (Vec::new(), BTreeMap::new());
        let mut peer = Self { stream, number, memory: memory.into(), own, others, vectors };
        while peer.own.len() < vectors {
            match hear(&peer.stream)? {
                (own, Some(bell)) if own == number => peer.own.push(bell),
                (other, Some(bell)) => peer.others.entry(other).or_default().push(bell),
                _ => return Err(wrong()),
            }
        }
        Ok(peer)
    }

    /// Waits for another one to come, with all its vectors, or to go.
    pub fn next(&mut self) -> io::Result<News> {
        loop {
            let (number, bell) = hear(&self.stream)?;
            let Some(bell) = bell else {
                self.others.remove(&number);
                return Ok(News::Gone(number));
            };
            let bells = self.others.entry(number).or_default();
            bells.push(bell);
            if bells.len() == self.vectors {
                return Ok(News::Came(number));
            }
        }
    }
}

/// The next number, and what came with it.
fn hear(stream: &UnixStream) -> io::Result<(i64, Option<OwnedFd>)> {
    let mut bytes = [0; 8];
    let (mut at, mut with) = (0, None);
    while at < bytes.len() {
        let mut space = nix::cmsg_space!(RawFd);
        let mut into = [IoSliceMut::new(&mut bytes[at..])];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let heard = recvmsg::<()>(stream.as_raw_fd(), &mut into, Some(&mut space), flags)?;
        for message in heard.cmsgs()? {
            if let ControlMessageOwned::ScmRights(fds) = message {
                for fd in fds {
                    // SAFETY: the kernel has just made this descriptor for this process, and nobody else knows it.
                    with = Some(unsafe { OwnedFd::from_raw_fd(fd) });
                }
            }
        }
        match heard.bytes {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => at += more,
        }
    }
    Ok((i64::from_le_bytes(bytes), with))
}
