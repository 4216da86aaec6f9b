//! Messages on named pipes in message mode: the system's own, written whole, and read in parts by a receiver with a
//! smaller buffer.

use strait_os_base::pipe::{IoFailure, Stream as _};

use super::cancel::Wait;
use super::instance::Connection;

/// One end that passes messages.
#[derive(Debug)]
pub struct Messages {
    /// The connection.
    pub connection: Connection,
}

impl Messages {
    /// Of a connection of that kind.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// Receives a message or a part of one: how many bytes, and whether it goes on.
    pub fn recv(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<(usize, bool), IoFailure> {
        let arrived = self.connection.channel.read(buf, wait)?;
        Ok((arrived.len, arrived.more))
    }

    /// Takes a message to send. If it may wait, it does so until the system has the message.
    /// An error means that it was not taken.
    pub fn send(&mut self, message: &[u8], wait: Wait<'_>) -> Result<(), IoFailure> {
        self.connection.channel.write(message, wait)?;
        if wait.until.is_none() {
            return Ok(());
        }
        match self.connection.channel.settle(wait) {
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

    /// Whether receiving would not wait. A message of no bytes cannot be seen so.
    pub fn is_readable(&mut self) -> Result<bool, IoFailure> {
        self.connection.is_readable()
    }
}
