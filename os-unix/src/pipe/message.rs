//! Pipes that pass messages.
//!
//! A packet socket gives neither long messages (Linux: what its send buffer holds) nor empty ones (which
//! look like the end), and it cuts off what the receiver's buffer has no room for. So a message travels as
//! chunks of up to 32 KiB, each a packet behind one byte of flags. A packet is sent whole or not at all:
//! a send that is broken off leaves no half packet, and the next message's first chunk says that it was.
//! A receiver holds one chunk, whatever the message's length.

use core::fmt;
use core::time::Duration;
use std::io::IoSlice;
use std::os::fd::AsRawFd;

use nix::poll::PollFlags;
use nix::sys::socket::{SockType, sendmsg};
use strait_os_common::pipe::{
    ConnectError, ImpersonateError, Limit, MAX_MESSAGE, PipeError, PipeName, Received,
};

use super::cancel::Canceller;
use super::error::BindError;
use super::impersonate::Impersonation;
use super::options::PipeOptions;
use super::os;
use super::socket::{Listener, Socket};
use super::user::Peer;
use super::wait::{is_ready, perform};
use crate::error::OsError;

/// Bytes of a message that one packet carries.
const CHUNK: usize = 32 * 1024;

/// The flags: the chunk starts a message, the chunk ends one.
const FIRST: u8 = 1;
const LAST: u8 = 2;

/// A server of a named pipe that passes messages. See [the module](super).
#[derive(Debug)]
pub struct MessageListener(Listener);

impl MessageListener {
    /// Starts to serve `name`. A name whose server has died is free again, however it died.
    ///
    /// # Errors
    ///
    /// [`BindError`]; `AlreadyExists` if somebody serves it, `Unsupported` on macOS.
    pub fn bind(name: &PipeName, options: &PipeOptions) -> Result<Self, BindError> {
        Listener::bind(name, SockType::SeqPacket, options).map(Self)
    }

    /// Another handle on the same listener, for another thread. They share the clients and their number;
    /// each client is accepted by one of them.
    ///
    /// # Errors
    ///
    /// [`BindError::Os`].
    pub fn try_clone(&self) -> Result<Self, BindError> {
        self.0.try_clone().map(Self)
    }

    /// The next client, waiting up to `timeout` for one.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `TimedOut` if there was none, or as many as the options allow are being served.
    pub fn accept_timeout(&mut self, timeout: Duration) -> Result<MessagePipe, PipeError> {
        self.0.accept(Limit::after(timeout)).map(MessagePipe::new)
    }

    /// The next client, if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `NotReady` if there is none.
    pub fn try_accept(&mut self) -> Result<MessagePipe, PipeError> {
        self.0.accept(Limit::Try).map(MessagePipe::new)
    }

    /// What can cancel the waits of this handle from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.0.cancel = canceller.cloned();
    }
}

/// One end of a named pipe that passes messages both ways. See [the module](super).
///
/// It takes 32 KiB from the heap when it is made, and nothing later.
pub struct MessagePipe {
    socket: Socket,
    /// The packet received last: flags and data.
    packet: Box<[u8]>,
    /// What of `packet` has not been handed out: from, to. The flags are looked at once, when `fresh`.
    from: usize,
    to: usize,
    fresh: bool,
    /// A message has begun and has not ended.
    inside: bool,
    fault: bool,
}

impl fmt::Debug for MessagePipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagePipe").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl MessagePipe {
    fn new(socket: Socket) -> Self {
        let packet = vec![0; 1 + CHUNK].into_boxed_slice();
        Self { socket, packet, from: 0, to: 0, fresh: false, inside: false, fault: false }
    }

    /// Connects to the server of `name`, waiting up to `timeout` for one to be there and have room. Then
    /// looks that it is the user whom the options name.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: `NotFound` or `Busy` if it was so to the end of the time.
    pub fn connect_timeout(
        name: &PipeName,
        options: &PipeOptions,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        Socket::connect(name, SockType::SeqPacket, options, timeout).map(Self::new)
    }

    /// Another handle on the same end, so that one thread can receive while another sends: receive through
    /// one of them alone, and send through one alone.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn try_clone(&self) -> Result<Self, OsError> {
        self.socket.try_clone().map(Self::new)
    }

    /// Receives a message, or the next part of one that is longer than `buf`, waiting up to `timeout` for
    /// it. Parts come until [`more`](Received::more) is false; nothing is lost between them. A message of
    /// no bytes is one too. At most one packet is looked at.
    ///
    /// # Errors
    ///
    /// [`PipeError`]. `PeerEnded` in the middle of a message: the rest never comes. After any error but
    /// that, `Fault` and `Broken`, the next call goes on where this one was.
    pub fn recv_timeout(&mut self, buf: &mut [u8], timeout: Duration) -> Result<Received, PipeError> {
        self.recv(buf, Limit::after(timeout))
    }

    /// Receives what is there. Never waits.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout); `NotReady` if nothing is there.
    pub fn try_recv(&mut self, buf: &mut [u8]) -> Result<Received, PipeError> {
        self.recv(buf, Limit::Try)
    }

    fn recv(&mut self, buf: &mut [u8], limit: Limit) -> Result<Received, PipeError> {
        if self.fault {
            return Err(PipeError::Fault);
        }
        if !self.fresh && self.from == self.to {
            self.fetch(limit)?;
        }
        if self.fresh {
            self.fresh = false;
            let starts = self.packet[0] & FIRST != 0;
            if starts && self.inside {
                self.inside = false;
                self.fresh = true;
                return Err(PipeError::Broken);
            }
            if !starts && !self.inside {
                self.fault = true;
                return Err(PipeError::Fault);
            }
            self.inside = true;
        }
        let len = buf.len().min(self.to - self.from);
        buf[..len].copy_from_slice(&self.packet[self.from..self.from + len]);
        self.from += len;
        let more = self.from < self.to || self.packet[0] & LAST == 0;
        self.inside = more;
        Ok(Received { len, more })
    }

    /// Receives a packet, and refuses what this side would never send.
    fn fetch(&mut self, limit: Limit) -> Result<(), PipeError> {
        let len = self.socket.receive(&mut self.packet, limit)?;
        if len == 0 {
            return Err(PipeError::PeerEnded);
        }
        let flags = self.packet[0];
        let empty_is_legal = flags == FIRST | LAST;
        if flags & !(FIRST | LAST) != 0 || (len == 1 && !empty_is_legal) {
            self.fault = true;
            return Err(PipeError::Fault);
        }
        (self.from, self.to, self.fresh) = (1, len, true);
        Ok(())
    }

    /// Sends a message of up to [`MAX_MESSAGE`] bytes, waiting up to `timeout` for room. One that is longer
    /// than the system's buffer needs a receiver meanwhile.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: the message was not delivered. If a part of it was, the receiver is told `Broken` by
    /// the next message.
    pub fn send_timeout(&mut self, message: &[u8], timeout: Duration) -> Result<(), PipeError> {
        self.send(message, Limit::after(timeout))
    }

    /// Sends a message if there is room for it now. Never waits.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](Self::send_timeout); `NotReady` if there is no room.
    pub fn try_send(&mut self, message: &[u8]) -> Result<(), PipeError> {
        self.send(message, Limit::Try)
    }

    fn send(&mut self, message: &[u8], limit: Limit) -> Result<(), PipeError> {
        if message.len() > MAX_MESSAGE {
            return Err(PipeError::TooLarge);
        }
        let mut at = 0;
        loop {
            let end = message.len().min(at + CHUNK);
            let first = if at == 0 { FIRST } else { 0 };
            let last = if end == message.len() { LAST } else { 0 };
            self.send_chunk(first | last, &message[at..end], limit)?;
            if last != 0 {
                return Ok(());
            }
            at = end;
        }
    }

    fn send_chunk(&self, flags: u8, chunk: &[u8], limit: Limit) -> Result<(), PipeError> {
        let fd = self.socket.fd.as_raw_fd();
        let flags = [flags];
        let parts = [IoSlice::new(&flags), IoSlice::new(chunk)];
        let send = || sendmsg::<()>(fd, &parts, &[], os::QUIET, None);
        let cancel = self.socket.cancel.as_ref();
        perform(self.socket.as_fd(), PollFlags::POLLOUT, cancel, limit, "sendmsg", send).map(drop)
    }

    /// Waits until the system has all that was sent, so that it arrives even if this end is dropped now.
    /// Here it always has.
    ///
    /// # Errors
    ///
    /// [`PipeError`] on Windows.
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        let _ = timeout;
        Ok(())
    }

    /// Ends this side's sending: the peer receives what was sent, and then `PeerEnded`. Receiving goes on.
    ///
    /// # Errors
    ///
    /// [`PipeError::Unsupported`] on Windows, whose pipes have no half close.
    pub fn close_write(&mut self) -> Result<(), PipeError> {
        self.socket.end_sending()
    }

    /// Whether receiving would not wait: something is there, or the peer has ended.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        Ok(self.fault
            || self.fresh
            || self.from < self.to
            || is_ready(self.socket.as_fd(), PollFlags::POLLIN)?)
    }

    /// Who is at the other end.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn peer(&self) -> Result<Peer, OsError> {
        self.socket.peer()
    }

    /// For a server: takes on the client's rights, for this thread and until the guard is dropped.
    ///
    /// # Errors
    ///
    /// [`ImpersonateError`]; this thread's rights are its own then.
    pub fn impersonate(&self) -> Result<Impersonation<'_>, ImpersonateError> {
        Impersonation::begin(self.socket.as_fd())
    }

    /// What can cancel the waits of this handle from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.socket.cancel = canceller.cloned();
    }
}
