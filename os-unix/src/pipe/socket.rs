//! Sockets of either kind: served, accepted, connected.

use core::time::Duration;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{Backlog, SockType, UnixAddr, bind, connect, listen};
use strait_os_common::pipe::{ConnectError, Limit, PipeError, PipeName, Seat, Seats, connect_by};

use super::cancel::Canceller;
use super::error::{BindError, connect_error, pipe_error};
use super::options::{MOST_INSTANCES, PipeOptions};
use super::os;
use super::place::{Held, Place};
use super::user::{Peer, User};
use super::wait::{nap, perform};
use crate::error::{FromCall as _, OsError};

/// How many may be connected without being accepted yet.
const BACKLOG: i32 = 16;

/// A server's socket. Clones share its clients.
#[derive(Debug)]
pub(super) struct Listener {
    socket: UnixListener,
    held: Arc<Held>,
    seats: Seats,
    pub(super) cancel: Option<Canceller>,
}

impl Listener {
    pub(super) fn bind(name: &PipeName, kind: SockType, options: &PipeOptions) -> Result<Self, BindError> {
        let asked = options.instances;
        if asked == 0 || asked > MOST_INSTANCES {
            return Err(BindError::Instances { asked });
        }
        let socket = os::socket(kind).map_err(|error| BindError::new("socket", error))?;
        let place = Place::of(name, &User::current(), options.public);
        place.prepare()?;
        let held = place.hold()?;
        let path = held.place().socket();
        let address = UnixAddr::new(&path).map_err(|error| BindError::new("bind", error))?;
        bind(socket.as_raw_fd(), &address).map_err(|error| BindError::new("bind", error))?;
        held.place().open_socket()?;
        let backlog = Backlog::new(BACKLOG).map_err(|error| BindError::new("listen", error))?;
        listen(&socket, backlog).map_err(|error| BindError::new("listen", error))?;
        Ok(Self {
            socket: UnixListener::from(socket),
            held: Arc::new(held),
            seats: Seats::new(asked),
            cancel: options.canceller.clone(),
        })
    }

    pub(super) fn try_clone(&self) -> Result<Self, BindError> {
        Ok(Self {
            socket: self.socket.try_clone().map_err(|error| BindError::io("dup", &error))?,
            held: self.held.clone(),
            seats: self.seats.clone(),
            cancel: self.cancel.clone(),
        })
    }

    /// The next client, once there is one and there is room for it.
    pub(super) fn accept(&self, limit: Limit) -> Result<Socket, PipeError> {
        let cancel = self.cancel.as_ref();
        let seat = self.seats.take_until(limit, |how_long| nap(how_long, cancel))?;
        let accept = || match self.socket.accept() {
            Ok((stream, _)) => Ok(stream),
            Err(error) => Err(match error.raw_os_error() {
                // Gone before it was accepted: wait for the next.
                Some(nix::libc::ECONNABORTED) => Errno::EAGAIN,
                code => Errno::from_raw(code.unwrap_or(nix::libc::EIO)),
            }),
        };
        let stream = perform(self.socket.as_fd(), PollFlags::POLLIN, cancel, limit, "accept", accept)?;
        let failed = |error| PipeError::Os(OsError::io("fcntl", &error));
        stream.set_nonblocking(true).map_err(failed)?;
        Ok(Socket { fd: stream.into(), cancel: None, _seat: Some(Arc::new(seat)) })
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) fd: OwnedFd,
    pub(super) cancel: Option<Canceller>,
    /// A server's end takes one of its seats, until its last handle is dropped.
    _seat: Option<Arc<Seat>>,
}

impl Socket {
    /// Connects, and looks who serves. Tries again for `timeout` if nobody does, or there is no room.
    pub(super) fn connect(
        name: &PipeName,
        kind: SockType,
        options: &PipeOptions,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let nap = |how_long| nap(how_long, options.canceller.as_ref());
        connect_by(timeout, nap, || Self::try_connect(name, kind, options))
    }

    fn try_connect(name: &PipeName, kind: SockType, options: &PipeOptions) -> Result<Self, ConnectError> {
        let server = options.server();
        let place = Place::of(name, &server, options.public);
        place.check(&server)?;
        let fd = os::socket(kind).map_err(|error| connect_error("socket", error))?;
        let address = UnixAddr::new(&place.socket()).map_err(|error| connect_error("connect", error))?;
        connect(fd.as_raw_fd(), &address).map_err(|error| connect_error("connect", error))?;
        let found = os::peer(fd.as_fd()).map_err(|error| connect_error("getsockopt", error))?;
        if found.user != Some(server) {
            return Err(ConnectError::WrongUser);
        }
        Ok(Self { fd, cancel: options.canceller.clone(), _seat: None })
    }

    /// Another handle on the same end.
    pub(super) fn try_clone(&self) -> Result<Self, OsError> {
        let fd = self.fd.try_clone().map_err(|error| OsError::io("dup", &error))?;
        Ok(Self { fd, cancel: self.cancel.clone(), _seat: self._seat.clone() })
    }

    pub(super) fn peer(&self) -> Result<Peer, OsError> {
        os::peer(self.fd.as_fd()).map_err(|error| OsError::nix("getsockopt", error))
    }

    /// Says that no more will be sent.
    pub(super) fn end_sending(&self) -> Result<(), PipeError> {
        let how = nix::sys::socket::Shutdown::Write;
        nix::sys::socket::shutdown(self.fd.as_raw_fd(), how).map_err(|error| pipe_error("shutdown", error))
    }

    /// What arrives into `buf`; 0 only at the end of all.
    pub(super) fn receive(&self, buf: &mut [u8], limit: Limit) -> Result<usize, PipeError> {
        use nix::sys::socket::{MsgFlags, recv};
        let fd = self.fd.as_raw_fd();
        let mut once = || recv(fd, buf, MsgFlags::empty());
        // A peer that closes while something sent to it is unread raises this error once, in front of what it
        // had sent itself.
        let receive = || match once() {
            Err(Errno::ECONNRESET) => once(),
            other => other,
        };
        perform(self.as_fd(), PollFlags::POLLIN, self.cancel.as_ref(), limit, "recv", receive)
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
