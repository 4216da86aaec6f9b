//! Pipes that pass bytes.

use core::time::Duration;
use std::sync::Arc;

use strait_os_base::pipe::Stream as _;

use super::cancel::{Cancel, Canceller};
use super::error::{BindError, ConnectError, ImpersonateError, PipeError};
use super::impersonate::Impersonation;
use super::limit::{DEFAULT_TIMEOUT, Limit};
use super::listener::{self, Listener};
use super::name::PipeName;
use super::options::PipeOptions;
use super::seats::Seat;
use super::user::PeerIdentity;
use crate::OsError;
use crate::sys::pipe::{Connection, Kind};

/// A server of a named pipe that passes bytes. See [the module](super).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{BindError, Pipe, PipeError, PipeListener, PipeName, PipeOptions};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// # let name = &format!("doc-listener-{}", std::process::id());
/// let name = PipeName::new(name)?;
/// let mut listener = PipeListener::bind(&name, &PipeOptions::new())?;
/// let again = PipeListener::bind(&name, &PipeOptions::new());
/// assert_eq!(again.map(drop), Err(BindError::AlreadyExists));
///
/// assert_eq!(listener.try_accept().map(drop), Err(PipeError::NotReady), "no client yet");
/// let client = std::thread::spawn(move || Pipe::connect_timeout(&name, &PipeOptions::new(), LIMIT));
/// let pipe = listener.accept_timeout(LIMIT)?;
/// assert_eq!(pipe.peer()?.pid().unwrap_or(std::process::id()), std::process::id());
/// # client.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PipeListener(Listener);

impl PipeListener {
    /// Starts to serve `name`. A name whose server has died is free again, however it died; on Windows once all
    /// its clients' pipes are closed as well.
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
        self.0.try_clone().map(Self)
    }

    /// The next client, waiting up to `timeout` for one.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `TimedOut` if there was none, or as many as the options allow are being served.
    pub fn accept_timeout(&mut self, timeout: Duration) -> Result<Pipe, PipeError> {
        self.0.accept(Limit::after(timeout)).map(Pipe::accepted)
    }

    /// The next client, if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `NotReady` if there is none.
    pub fn try_accept(&mut self) -> Result<Pipe, PipeError> {
        self.0.accept(Limit::Try).map(Pipe::accepted)
    }

    /// Sets the canceller of this handle's waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.0.cancel = Cancel::by(canceller);
    }
}

/// One end of a named pipe that passes bytes both ways. See [the module](super).
///
/// Dropping it ends it; the peer still receives what was sent.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{Pipe, PipeError, PipeListener, PipeName, PipeOptions};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// # let name = &format!("doc-pipe-{}", std::process::id());
/// let name = PipeName::new(name)?;
/// let mut listener = PipeListener::bind(&name, &PipeOptions::new())?;
/// let client = std::thread::spawn(move || -> Result<(), PipeError> {
///     let mut pipe = Pipe::connect_timeout(&name, &PipeOptions::new(), LIMIT).expect("the server is there");
///     pipe.write_timeout(b"hello", LIMIT)?;
///     pipe.flush_timeout(LIMIT)
/// });
/// let mut pipe = listener.accept_timeout(LIMIT)?;
/// client.join().expect("no panic")?;
/// let mut buf = [0; 16];
/// let len = pipe.read_timeout(&mut buf, LIMIT)?;
/// assert_eq!(&buf[..len], b"hello");
/// // The client dropped its end; everything that it sent came first.
/// assert_eq!(pipe.read_timeout(&mut buf, LIMIT), Err(PipeError::PeerEnded));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Pipe {
    connection: Connection,
    /// A server's end takes one of its seats, until its last handle is dropped.
    seat: Option<Arc<Seat>>,
    cancel: Cancel,
    timeout: Duration,
}

impl Pipe {
    fn accepted((connection, seat): (Connection, Arc<Seat>)) -> Self {
        Self { connection, seat: Some(seat), cancel: Cancel::NONE, timeout: DEFAULT_TIMEOUT }
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
        let connection = listener::connect(name, Kind::Bytes, options, timeout)?;
        Ok(Self { connection, seat: None, cancel: options.cancel.clone(), timeout: DEFAULT_TIMEOUT })
    }

    /// Another handle on the same end, so that one thread can read while another writes. Each has its
    /// own canceller and time-out. The end is closed when the last one is dropped.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn try_clone(&self) -> Result<Self, OsError> {
        let (seat, cancel) = (self.seat.clone(), self.cancel.clone());
        Ok(Self { connection: self.connection.try_clone()?, seat, cancel, timeout: self.timeout })
    }

    /// Reads what is there, waiting up to `timeout` for at least one byte. 0 only if `buf` is empty.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `PeerEnded` when all that the peer wrote is read.
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
        let read = self.connection.read(buf, self.cancel.wait(limit));
        read.map_err(|failure| limit.error(failure))
    }

    /// Writes what there is room for, waiting up to `timeout` for at least one byte of it. Returns how
    /// many bytes were taken; these arrive, unless the peer ends first.
    ///
    /// On Windows it takes up to 64 KiB, once what was taken before has gone to the system, and these are lost if
    /// this handle is dropped before they have: [flush](Self::flush_timeout) before that.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: nothing was taken then.
    pub fn write_timeout(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, PipeError> {
        self.write(bytes, Limit::after(timeout))
    }

    /// Writes what there is room for. Never waits.
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
        let written = self.connection.write(bytes, self.cancel.wait(limit));
        written.map_err(|failure| limit.error(failure))
    }

    /// Waits until the system has all that was written, so that it arrives even if this end is dropped now.
    /// On Unix it always has; on Windows that takes time where more than 64 KiB are unread.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; none on Unix.
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        let limit = Limit::after(timeout);
        let flushed = self.connection.flush(self.cancel.wait(limit));
        flushed.map_err(|failure| limit.error(failure))
    }

    /// Ends this side's writing: the peer reads what was written, and then `PeerEnded`. Reading goes on.
    ///
    /// # Errors
    ///
    /// [`PipeError::Unsupported`] on Windows, whose pipes have no half close: end a request by its
    /// length there.
    pub fn close_write(&mut self) -> Result<(), PipeError> {
        self.connection.end_sending().map_err(|failure| Limit::Try.error(failure))
    }

    /// Whether a read would not wait: bytes are there, or the peer has ended.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        self.connection.is_readable().map_err(|failure| Limit::Try.error(failure))
    }

    /// Whether a write would not wait: there is room, or the peer has ended.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_writable(&mut self) -> Result<bool, PipeError> {
        self.connection.is_writable().map_err(|failure| Limit::Try.error(failure))
    }

    /// Returns the process and user at the other end.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn peer(&self) -> Result<PeerIdentity, OsError> {
        self.connection.peer().map(PeerIdentity::new)
    }

    /// For a server: takes on the client's rights, for this thread and until the guard is dropped. Read the
    /// client's request first: Windows knows its rights only then.
    ///
    /// # Errors
    ///
    /// [`ImpersonateError`]; this thread's rights are its own then.
    pub fn impersonate(&self) -> Result<Impersonation<'_>, ImpersonateError> {
        Impersonation::begin(|| self.connection.impersonate())
    }

    /// Sets the canceller of this handle's waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.cancel = Cancel::by(canceller);
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
