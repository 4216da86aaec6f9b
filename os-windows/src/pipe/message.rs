//! Messages on named pipes in message mode: the system's own, written whole, and read in parts by a receiver with a
//! smaller buffer.

use super::cancel::Wait;
use super::error::IoFailure;
use super::instance::Connection;
use crate::error::OsError;

/// One end that passes messages.
#[derive(Debug)]
pub struct Messages(Connection);

impl Messages {
    /// Of a connection of that kind.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// Another handle on the same end.
    pub fn try_clone(&self) -> Result<Self, OsError> {
        self.0.try_clone().map(Self)
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.0
    }

    /// Receives a message or a part of one: how many bytes, and whether it goes on.
    pub fn recv(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<(usize, bool), IoFailure> {
        let arrived = self.0.channel.read(buf, wait)?;
        Ok((arrived.len, arrived.more))
    }

    /// Takes a message to send. If it may wait, it does so until the system has the message.
    /// An error means that it was not taken.
    pub fn send(&mut self, message: &[u8], wait: Wait<'_>) -> Result<(), IoFailure> {
        self.0.channel.write(message, wait)?;
        if wait.until.is_none() {
            return Ok(());
        }
        match self.0.channel.settle(wait) {
            // It is on its way, and that it took too long is the next one's error.
            Err(IoFailure::OutOfTime) => Ok(()),
            Err(IoFailure::Cancelled) => {
                if let Some(cancel) = wait.cancel {
                    cancel.cancel(); // For the next call.
                }
                Ok(())
            }
            other => other,
        }
    }

    /// Waits until the system has all that was sent.
    pub fn flush(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        self.0.flush(wait)
    }

    /// There is no half close.
    pub fn end_sending(&mut self) -> Result<(), IoFailure> {
        self.0.end_sending()
    }

    /// Whether receiving would not wait. A message of no bytes cannot be seen so.
    pub fn is_readable(&mut self) -> Result<bool, IoFailure> {
        self.0.is_readable()
    }
}
