//! Sockets of either kind: served, accepted, connected.

use core::mem::ManuallyDrop;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    Backlog, MsgFlags, Shutdown, SockType, UnixAddr, bind, connect, listen, recv, sendmsg, shutdown,
};
use strait_os_base::OsError;
use strait_os_base::pipe::{BindFailure, ConnectFailure, ImpersonateFailure, IoFailure, Stream};

use super::cancel::{Canceller, Wait};
use super::impersonate::{self, Impersonation};
use super::place::{Held, Place};
use super::user;
use super::wait::{is_ready, perform};
use super::{Kind, Options, os};
use crate::fd;
use crate::fork::Token;
use crate::options::Owner;
use crate::pipe::error::FromErrno as _;

/// How many may be connected without being accepted yet.
const BACKLOG: i32 = 16;

fn number(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}

impl Kind {
    fn socket(self) -> Result<OwnedFd, Errno> {
        let socket = os::socket(match self {
            Self::Bytes => SockType::Stream,
            Self::Messages => SockType::SeqPacket,
        })?;
        fd::keep(socket).map_err(number)
    }
}

/// A server's socket, and its hold on the name. It is the process's that bound it: a forked child has neither.
#[derive(Clone, Debug)]
pub struct Listener(Arc<Serving>);

#[derive(Debug)]
struct Serving {
    /// Dropped before the name: a client that comes in between finds nobody.
    socket: Token,
    _held: Held,
}

/// The error of a forked child.
const FORKED: OsError = OsError::explained(
    "the pipe's listener was bound before a fork, and only the process that bound it serves; bind another name here",
    nix::libc::EBADF,
);

impl Listener {
    /// Starts to serve.
    pub fn bind(name: &str, kind: Kind, options: &Options) -> Result<Self, BindFailure> {
        let socket = Token::alone(|| kind.socket().map_err(|error| BindFailure::new("socket", error)))?;
        let place = Place::of(name, user::current(), options.public)?;
        place.prepare()?;
        let held = place.hold()?;
        let path = held.place().socket();
        let address = UnixAddr::new(&path).map_err(|error| BindFailure::new("bind", error))?;
        let serve = |socket: BorrowedFd<'_>| {
            bind(socket.as_raw_fd(), &address).map_err(|error| BindFailure::new("bind", error))?;
            held.place().open_socket()?;
            let backlog = Backlog::new(BACKLOG).map_err(|error| BindFailure::new("listen", error))?;
            listen(&socket, backlog).map_err(|error| BindFailure::new("listen", error))
        };
        socket.with(serve).unwrap_or(Err(BindFailure::Os(FORKED)))?;
        Ok(Self(Arc::new(Serving { socket, _held: held })))
    }

    /// Another handle.
    pub fn try_clone(&self) -> Result<Self, OsError> {
        Ok(self.clone())
    }

    /// The turn to accept, which here everybody has at any time.
    pub fn turn(&self, _wait: Wait<'_>) -> Result<Turn<'_>, IoFailure> {
        Ok(Turn(self))
    }
}

/// The turn to accept.
#[derive(Debug)]
pub struct Turn<'a>(&'a Listener);

impl Turn<'_> {
    /// The next client, once there is one.
    pub fn accept(&self, wait: Wait<'_>) -> Result<Connection, IoFailure> {
        self.0.0.socket.with(|socket| accept(socket, wait)).unwrap_or(Err(IoFailure::Os(FORKED)))
    }
}

fn accept(fd: BorrowedFd<'_>, wait: Wait<'_>) -> Result<Connection, IoFailure> {
    // SAFETY: the descriptor is a listening socket that stays open for as long as it is borrowed, and is not closed
    // by this value.
    let socket = ManuallyDrop::new(unsafe { UnixListener::from_raw_fd(fd.as_raw_fd()) });
    let accept = || match socket.accept().and_then(|(stream, _)| fd::keep(stream)) {
        Ok(stream) => Ok(stream),
        // Gone before it was accepted: wait for the next.
        Err(error) if error.raw_os_error() == Some(nix::libc::ECONNABORTED) => Err(Errno::EAGAIN),
        Err(error) => Err(number(error)),
    };
    let stream = perform(fd, PollFlags::POLLIN, wait, "accept", accept)?;
    let failed = |error| IoFailure::Os(OsError::io("fcntl", &error));
    stream.set_nonblocking(true).map_err(failed)?;
    Ok(Connection(stream.into()))
}

/// One end of a connection.
#[derive(Debug)]
pub struct Connection(OwnedFd);

impl Connection {
    /// Connects if `server` serves and has room, and looks that it is that user. Does not wait.
    pub fn connect(name: &str, kind: Kind, server: Owner, options: &Options) -> Result<Self, ConnectFailure> {
        let place = Place::of(name, server, options.public).map_err(ConnectFailure::Os)?;
        place.check(server)?;
        let fd = kind.socket().map_err(|error| ConnectFailure::new("socket", error))?;
        let address =
            UnixAddr::new(&place.socket()).map_err(|error| ConnectFailure::new("connect", error))?;
        connect(fd.as_raw_fd(), &address).map_err(|error| ConnectFailure::new("connect", error))?;
        let (_, found) = os::peer(fd.as_fd()).map_err(|error| ConnectFailure::new("getsockopt", error))?;
        if found != server {
            return Err(ConnectFailure::WrongUser);
        }
        Ok(Self(fd))
    }

    /// Another handle on the same end.
    pub fn try_clone(&self) -> Result<Self, OsError> {
        self.0.try_clone().map(Self).map_err(|error| OsError::io("dup", &error))
    }

    /// The process and user at the other end, as far as known.
    pub fn peer(&self) -> Result<(Option<u32>, Option<Owner>), OsError> {
        let (pid, user) =
            os::peer(self.0.as_fd()).map_err(|error| OsError::new("getsockopt", error as i32))?;
        Ok((pid, Some(user)))
    }

    /// Takes on the client's rights.
    pub fn impersonate(&self) -> Result<Impersonation, ImpersonateFailure> {
        impersonate::begin(self.0.as_fd())
    }

    /// Says that no more will be sent.
    pub fn end_sending(&mut self) -> Result<(), IoFailure> {
        shutdown(self.0.as_raw_fd(), Shutdown::Write).map_err(|error| IoFailure::new("shutdown", error))
    }

    /// Receives into `buf`. Returns 0 only at the end of all.
    pub(super) fn receive(&self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        let fd = self.0.as_raw_fd();
        let mut once = || recv(fd, buf, MsgFlags::empty());
        // A peer that closes while something sent to it is unread raises this error once, in front of what it
        // had sent itself.
        let receive = || match once() {
            Err(Errno::ECONNRESET) => once(),
            other => other,
        };
        perform(self.as_fd(), PollFlags::POLLIN, wait, "recv", receive)
    }

    /// Sends these parts as one packet, or what there is room for of them to a stream.
    pub(super) fn send(&self, parts: &[IoSlice<'_>], wait: Wait<'_>) -> Result<usize, IoFailure> {
        let fd = self.0.as_raw_fd();
        let send = || sendmsg::<()>(fd, parts, &[], os::QUIET, None);
        perform(self.as_fd(), PollFlags::POLLOUT, wait, "sendmsg", send)
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Stream for Connection {
    type Canceller = Canceller;

    fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        match self.receive(buf, wait)? {
            0 => Err(IoFailure::Ended),
            len => Ok(len),
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        self.send(&[IoSlice::new(bytes)], wait)
    }

    fn flush(&mut self, _wait: Wait<'_>) -> Result<(), IoFailure> {
        Ok(())
    }

    fn is_readable(&mut self) -> Result<bool, IoFailure> {
        is_ready(self.as_fd(), PollFlags::POLLIN)
    }

    fn is_writable(&mut self) -> Result<bool, IoFailure> {
        is_ready(self.as_fd(), PollFlags::POLLOUT)
    }
}
