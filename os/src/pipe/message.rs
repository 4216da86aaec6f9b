//! Pipes that pass messages.

use core::time::Duration;
use std::sync::Arc;

use strait_os_base::pipe::Stream as _;

use super::cancel::{Cancel, Canceller};
use super::error::{BindError, ConnectError, ImpersonateError, PipeError};
use super::impersonate::Impersonation;
use super::limit::Limit;
use super::listener::{self, Listener};
use super::name::PipeName;
use super::options::PipeOptions;
use super::seats::Seat;
use super::user::PeerIdentity;

use crate::OsError;
use crate::sys::pipe::{Connection, Kind, Messages};

/// Bytes of the longest message.
pub const MAX_MESSAGE: usize = 16 << 20;

/// The part of a message that a call received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePart {
    /// Bytes that were put into the buffer.
    pub len: usize,
    /// The message goes on: the next call receives more of it.
    pub more: bool,
}

/// A server of a named pipe that passes messages. See [the module](super).
///
/// # Examples
///
/// ```
/// # #[cfg(not(target_os = "macos"))]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{MessageListener, MessagePipe, PipeName, PipeOptions};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// # let name = &format!("doc-message-listener-{}", std::process::id());
/// let name = PipeName::new(name)?;
/// let mut listener = MessageListener::bind(&name, &PipeOptions::new())?;
/// let client = std::thread::spawn(move || {
///     let mut pipe = MessagePipe::connect_timeout(&name, &PipeOptions::new(), LIMIT).expect("a server");
///     pipe.recv_timeout(&mut [0; 16], LIMIT).expect("a message").len
/// });
/// let mut pipe = listener.accept_timeout(LIMIT)?;
/// pipe.send_timeout(b"welcome", LIMIT)?;
/// assert_eq!(client.join().expect("no panic"), 7);
/// # Ok(())
/// # }
/// # #[cfg(target_os = "macos")] fn main() {}
/// ```
#[derive(Debug)]
pub struct MessageListener(Listener);

impl MessageListener {
    /// Starts to serve `name`. A name whose server has died is free again, however it died; on Windows once all
    /// its clients' pipes are closed as well.
    ///
    /// # Errors
    ///
    /// [`BindError`]; `AlreadyExists` if somebody serves it, `Unsupported` on macOS.
    pub fn bind(name: &PipeName, options: &PipeOptions) -> Result<Self, BindError> {
        Listener::bind(name, Kind::Messages, options).map(Self)
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
        self.0.accept(Limit::after(timeout)).map(MessagePipe::accepted)
    }

    /// The next client, if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `NotReady` if there is none.
    pub fn try_accept(&mut self) -> Result<MessagePipe, PipeError> {
        self.0.accept(Limit::Try).map(MessagePipe::accepted)
    }

    /// Sets the canceller of this handle's waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.0.cancel = Cancel::by(canceller);
    }
}

/// One end of a named pipe that passes messages both ways. See [the module](super).
///
/// On Unix it takes 32 KiB from the heap when it is made, and nothing later. On Windows it copies what it sends,
/// to a buffer as long as the longest message that was sent through it.
///
/// # Examples
///
/// ```
/// # #[cfg(not(target_os = "macos"))]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{MessageListener, MessagePipe, PipeName, PipeOptions};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// # let name = &format!("doc-message-pipe-{}", std::process::id());
/// let name = PipeName::new(name)?;
/// let mut listener = MessageListener::bind(&name, &PipeOptions::new())?;
/// let client = std::thread::spawn(move || {
///     let mut pipe = MessagePipe::connect_timeout(&name, &PipeOptions::new(), LIMIT).expect("a server");
///     pipe.send_timeout(b"a message of 24 bytes...", LIMIT).expect("sent");
///     pipe.send_timeout(b"another", LIMIT).expect("sent");
///     pipe.flush_timeout(LIMIT).expect("gone");
/// });
/// let mut pipe = listener.accept_timeout(LIMIT)?;
/// client.join().expect("no panic");
///
/// // A message that is longer than the buffer comes in parts; the next one is not touched.
/// let mut buf = [0; 16];
/// let part = pipe.recv_timeout(&mut buf, LIMIT)?;
/// assert_eq!((&buf[..part.len], part.more), (&b"a message of 24 "[..], true));
/// let part = pipe.recv_timeout(&mut buf, LIMIT)?;
/// assert_eq!((&buf[..part.len], part.more), (&b"bytes..."[..], false));
/// let part = pipe.recv_timeout(&mut buf, LIMIT)?;
/// assert_eq!((&buf[..part.len], part.more), (&b"another"[..], false));
/// # Ok(())
/// # }
/// # #[cfg(target_os = "macos")] fn main() {}
/// ```
#[derive(Debug)]
pub struct MessagePipe {
    messages: Messages,
    /// A server's end takes one of its seats, until its last handle is dropped.
    seat: Option<Arc<Seat>>,
    cancel: Cancel,
}

impl MessagePipe {
    fn accepted((connection, seat): (Connection, Arc<Seat>)) -> Self {
        Self { messages: Messages::new(connection), seat: Some(seat), cancel: Cancel::NONE }
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
        let connection = listener::connect(name, Kind::Messages, options, timeout)?;
        Ok(Self { messages: Messages::new(connection), seat: None, cancel: options.cancel.clone() })
    }

    /// Another handle on the same end, so that one thread can receive while another sends: receive through
    /// one of them alone, and send through one alone.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn try_clone(&self) -> Result<Self, OsError> {
        let (seat, cancel) = (self.seat.clone(), self.cancel.clone());
        // Starts between two messages.
        let messages = Messages::new(self.messages.connection.try_clone()?);
        Ok(Self { messages, seat, cancel })
    }

    /// Receives a message, or the next part of one that is longer than `buf`, waiting up to `timeout` for
    /// it. Parts come until [`more`](MessagePart::more) is false; nothing is lost between them. A message of
    /// no bytes is one too. On Unix a part is never longer than 32 KiB, as at most one packet is looked at.
    ///
    /// # Errors
    ///
    /// [`PipeError`]. `PeerEnded` in the middle of a message: the rest never comes. After any error except
    /// that, `Fault` and `Broken`, the next call goes on where this one was.
    pub fn recv_timeout(&mut self, buf: &mut [u8], timeout: Duration) -> Result<MessagePart, PipeError> {
        self.recv(buf, Limit::after(timeout))
    }

    /// Receives what is there. Never waits.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout); `NotReady` if nothing is there.
    pub fn try_recv(&mut self, buf: &mut [u8]) -> Result<MessagePart, PipeError> {
        self.recv(buf, Limit::Try)
    }

    fn recv(&mut self, buf: &mut [u8], limit: Limit) -> Result<MessagePart, PipeError> {
        let received = self.messages.recv(buf, self.cancel.wait(limit));
        let (len, more) = received.map_err(|failure| limit.error(failure))?;
        Ok(MessagePart { len, more })
    }

    /// Sends a message of up to [`MAX_MESSAGE`] bytes, waiting up to `timeout` for room. One that is longer
    /// than the system's buffer needs a receiver that reads at the same time.
    ///
    /// On Windows it waits for the message before to have gone to the system, takes this one, and then waits for as
    /// much of the time as is left until that has gone too. It is lost if this handle is dropped before it has:
    /// [flush](Self::flush_timeout) before that.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: the message was not delivered, and will not be. If on Unix a part of it was, the receiver
    /// gets `Broken` instead of the next message.
    pub fn send_timeout(&mut self, message: &[u8], timeout: Duration) -> Result<(), PipeError> {
        self.send(message, Limit::after(timeout))
    }

    /// Sends a message if there is room for it now. Never waits.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](Self::send_timeout); `NotReady` if there is no room, or on Windows if the message before
    /// has not gone.
    pub fn try_send(&mut self, message: &[u8]) -> Result<(), PipeError> {
        self.send(message, Limit::Try)
    }

    fn send(&mut self, message: &[u8], limit: Limit) -> Result<(), PipeError> {
        if message.len() > MAX_MESSAGE {
            return Err(PipeError::TooLarge);
        }
        let sent = self.messages.send(message, self.cancel.wait(limit));
        sent.map_err(|failure| limit.error(failure))
    }

    /// Waits until the system has all that was sent, so that it arrives even if this end is dropped now.
    /// On Unix it always has.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; none on Unix.
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        let limit = Limit::after(timeout);
        let flushed = self.messages.connection.flush(self.cancel.wait(limit));
        flushed.map_err(|failure| limit.error(failure))
    }

    /// Ends this side's sending: the peer receives what was sent, and then `PeerEnded`. Receiving goes on.
    ///
    /// # Errors
    ///
    /// [`PipeError::Unsupported`] on Windows, whose pipes have no half close: end a request by its
    /// length there.
    pub fn close_write(&mut self) -> Result<(), PipeError> {
        self.messages.connection.end_sending().map_err(|failure| Limit::Try.error(failure))
    }

    /// Whether receiving would not wait: something is there, or the peer has ended. On Windows a message of no
    /// bytes cannot be seen so.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        self.messages.is_readable().map_err(|failure| Limit::Try.error(failure))
    }

    /// Returns the process and user at the other end.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn peer(&self) -> Result<PeerIdentity, OsError> {
        self.messages.connection.peer().map(PeerIdentity::new)
    }

    /// For a server: takes on the client's rights, for this thread and until the guard is dropped. Receive the
    /// client's request first: Windows knows its rights only then.
    ///
    /// # Errors
    ///
    /// [`ImpersonateError`]; this thread's rights are its own then.
    pub fn impersonate(&self) -> Result<Impersonation<'_>, ImpersonateError> {
        Impersonation::begin(|| self.messages.connection.impersonate())
    }

    /// Sets the canceller of this handle's waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.cancel = Cancel::by(canceller);
    }
}
