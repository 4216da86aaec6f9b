//! Pipes that pass bytes.

use core::time::Duration;

use strait_os_common::pipe::{ConnectError, DEFAULT_TIMEOUT, ImpersonateError, Limit, PipeError, PipeName};

use super::cancel::Canceller;
use super::error::BindError;
use super::impersonate::Impersonation;
use super::instance::{BUFFER, Connection, Kind, Listener};
use super::options::PipeOptions;
use super::user::Peer;
use crate::error::OsError;

/// A server of a named pipe that passes bytes. See [the module](super).
#[derive(Debug)]
pub struct PipeListener(Listener);

impl PipeListener {
    /// Starts to serve `name`. A name is free again when its server and all its clients' pipes have gone.
    ///
    /// # Errors
    ///
    /// [`BindError`]; `AlreadyExists` if somebody serves it.
    pub fn bind(name: &PipeName, options: &PipeOptions) -> Result<Self, BindError> {
        Listener::bind(name, Kind::Bytes, options).map(Self)
    }

    /// Another handle on the same listener, for another thread. They share the clients and their number;
    /// each client is accepted by one of them.
    ///
    /// # Errors
    ///
    /// [`BindError::Os`].
    pub fn try_clone(&self) -> Result<Self, BindError> {
        Ok(Self(self.0.clone()))
    }

    /// The next client, waiting up to `timeout` for one.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `TimedOut` if there was none, or as many as the options allow are being served.
    pub fn accept_timeout(&mut self, timeout: Duration) -> Result<Pipe, PipeError> {
        self.0.accept(Limit::after(timeout)).map(Pipe::new)
    }

    /// The next client, if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `NotReady` if there is none.
    pub fn try_accept(&mut self) -> Result<Pipe, PipeError> {
        self.0.accept(Limit::Try).map(Pipe::new)
    }

    /// What can cancel the waits of this handle from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.0.cancel = canceller.cloned();
    }
}

/// One end of a named pipe that passes bytes both ways. See [the module](super).
///
/// Dropping it ends it; the peer still receives what was sent.
#[derive(Debug)]
pub struct Pipe {
    connection: Connection,
    timeout: Duration,
}

impl Pipe {
    fn new(connection: Connection) -> Self {
        Self { connection, timeout: DEFAULT_TIMEOUT }
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
        Connection::connect(name, Kind::Bytes, options, timeout).map(Self::new)
    }

    /// Another handle on the same end, so that one thread can read while another writes. Each has its
    /// own canceller and time-out. The end is closed when the last one is dropped.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn try_clone(&self) -> Result<Self, OsError> {
        Ok(Self { connection: self.connection.try_clone()?, timeout: self.timeout })
    }

    /// Reads what is there, waiting up to `timeout` for at least one byte. 0 only if `buf` is empty.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `PeerEnded` when all that the peer had written is read.
    pub fn read_timeout(&mut self, buf: &mut [u8], timeout: Duration) -> Result<usize, PipeError> {
        self.read(buf, Limit::after(timeout))
    }

    /// Reads what is there. Never waits.
    ///
    /// # Errors
    ///
    /// As [`read_timeout`](Self::read_timeout); `NotReady` if nothing is there.
    pub fn try_read(&mut self, buf: &mut [u8]) -> Result<usize, PipeError> {
        self.read(buf, Limit::Try)
    }

    fn read(&mut self, buf: &mut [u8], limit: Limit) -> Result<usize, PipeError> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            // 0: a program of another kind wrote no bytes, which is no end.
            match self.connection.end.read(buf, limit)?.len {
                0 => limit.left().map(drop)?,
                len => return Ok(len),
            }
        }
    }

    /// Takes up to 64 KiB to write, waiting up to `timeout` for what was taken before to have gone. Answers
    /// how many bytes were taken; these arrive, unless the peer ends first, or this handle is dropped before
    /// the system has them: then [flush](Self::flush_timeout) before.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: nothing was taken then.
    pub fn write_timeout(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, PipeError> {
        self.write(bytes, Limit::after(timeout))
    }

    /// Takes what there is room for. Never waits.
    ///
    /// # Errors
    ///
    /// As [`write_timeout`](Self::write_timeout); `NotReady` if there is no room.
    pub fn try_write(&mut self, bytes: &[u8]) -> Result<usize, PipeError> {
        self.write(bytes, Limit::Try)
    }

    fn write(&mut self, bytes: &[u8], limit: Limit) -> Result<usize, PipeError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let len = bytes.len().min(BUFFER as usize);
        self.connection.end.write(&bytes[..len], limit).map(|()| len)
    }

    /// Waits until the system has all that was written, so that it arrives even if this end is dropped now.
    /// Only where more than 64 KiB lie unread need that take time.
    ///
    /// # Errors
    ///
    /// [`PipeError`].
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        self.connection.end.settle(Limit::after(timeout))
    }

    /// Would end this side's writing alone, which a pipe of Windows cannot: end a request by its length.
    ///
    /// # Errors
    ///
    /// [`PipeError::Unsupported`], always.
    pub fn close_write(&mut self) -> Result<(), PipeError> {
        Err(PipeError::Unsupported)
    }

    /// Whether a read would not wait: bytes are there, or the peer has ended.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        Ok(self.connection.end.is_readable())
    }

    /// Whether a write would not wait: there is room, or the peer has ended.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_writable(&mut self) -> Result<bool, PipeError> {
        Ok(self.connection.end.is_writable())
    }

    /// Who is at the other end.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn peer(&self) -> Result<Peer, OsError> {
        self.connection.peer()
    }

    /// For a server: takes on the client's rights, for this thread and until the guard is dropped. Read
    /// the client's request first.
    ///
    /// # Errors
    ///
    /// [`ImpersonateError`]; this thread's rights are its own then.
    pub fn impersonate(&self) -> Result<Impersonation<'_>, ImpersonateError> {
        Impersonation::begin(&self.connection)
    }

    /// What can cancel the waits of this handle from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.connection.end.cancel = canceller.cloned();
    }

    /// How long the calls of embedded-io's traits wait, which have no time-out of their own: 10 s unless set.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// How long the calls of embedded-io's traits wait.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}
