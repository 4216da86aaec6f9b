//! Pipes that pass messages.
//!
//! These are the system's own: a message is written whole, and read in parts by whoever has a smaller
//! buffer, so that programs that know nothing of this crate can be met.

use core::time::Duration;

use strait_os_common::pipe::{
    ConnectError, ImpersonateError, Limit, MAX_MESSAGE, PipeError, PipeName, Received,
};

use super::cancel::Canceller;
use super::error::BindError;
use super::impersonate::Impersonation;
use super::instance::{Connection, Kind, Listener};
use super::options::PipeOptions;
use super::user::Peer;
use crate::error::OsError;

/// A server of a named pipe that passes messages. See [the module](super).
#[derive(Debug)]
pub struct MessageListener(Listener);

impl MessageListener {
    /// Starts to serve `name`. A name is free again when its server and all its clients' pipes have gone.
    ///
    /// # Errors
    ///
    /// [`BindError`]; `AlreadyExists` if somebody serves it.
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
        Ok(Self(self.0.clone()))
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
/// What it sends, it copies: a buffer as long as the longest message that was sent through it.
#[derive(Debug)]
pub struct MessagePipe {
    connection: Connection,
}

impl MessagePipe {
    fn new(connection: Connection) -> Self {
        Self { connection }
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
        Connection::connect(name, Kind::Messages, options, timeout).map(Self::new)
    }

    /// Another handle on the same end, so that one thread can receive while another sends: receive through
    /// one of them alone, and send through one alone.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn try_clone(&self) -> Result<Self, OsError> {
        self.connection.try_clone().map(Self::new)
    }

    /// Receives a message, or the next part of one that is longer than `buf`, waiting up to `timeout` for
    /// it. Parts come until [`more`](Received::more) is false; nothing is lost between them. A message of
    /// no bytes is one too.
    ///
    /// # Errors
    ///
    /// [`PipeError`]. `PeerEnded` in the middle of a message: the rest never comes. After any other error
    /// the next call goes on where this one was.
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
        let arrived = self.connection.end.read(buf, limit)?;
        Ok(Received { len: arrived.len, more: arrived.more })
    }

    /// Takes a message of up to [`MAX_MESSAGE`] bytes to send, waiting up to `timeout` for the one before to
    /// have gone, and then for as much of the time as is left until the system has this one. It arrives,
    /// unless the peer ends first, or this handle is dropped before the system has it: then
    /// [flush](Self::flush_timeout) before.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: the message was not taken, and will not be delivered.
    pub fn send_timeout(&mut self, message: &[u8], timeout: Duration) -> Result<(), PipeError> {
        let limit = Limit::after(timeout);
        self.send(message, limit)?;
        match self.connection.end.settle(limit) {
            // It is on its way, and that it took too long is the next one's error.
            Err(PipeError::TimedOut) => Ok(()),
            Err(PipeError::Cancelled) => {
                if let Some(cancel) = &self.connection.end.cancel {
                    cancel.cancel(); // For the next call.
                }
                Ok(())
            }
            other => other,
        }
    }

    /// Takes a message to send if the one before has gone. Never waits.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](Self::send_timeout); `NotReady` if it has not.
    pub fn try_send(&mut self, message: &[u8]) -> Result<(), PipeError> {
        self.send(message, Limit::Try)
    }

    fn send(&mut self, message: &[u8], limit: Limit) -> Result<(), PipeError> {
        if message.len() > MAX_MESSAGE {
            return Err(PipeError::TooLarge);
        }
        self.connection.end.write(message, limit)
    }

    /// Waits until the system has all that was sent, so that it arrives even if this end is dropped now.
    ///
    /// # Errors
    ///
    /// [`PipeError`].
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        self.connection.end.settle(Limit::after(timeout))
    }

    /// Would end this side's sending alone, which a pipe of Windows cannot: end a request by its length.
    ///
    /// # Errors
    ///
    /// [`PipeError::Unsupported`], always.
    pub fn close_write(&mut self) -> Result<(), PipeError> {
        Err(PipeError::Unsupported)
    }

    /// Whether receiving would not wait: something is there, or the peer has ended. A message of no
    /// bytes cannot be seen so.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        Ok(self.connection.end.is_readable())
    }

    /// Who is at the other end.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn peer(&self) -> Result<Peer, OsError> {
        self.connection.peer()
    }

    /// For a server: takes on the client's rights, for this thread and until the guard is dropped.
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
}
