//! Messages on packet sockets.
//!
//! A packet socket gives neither long messages (Linux: what its send buffer holds) nor empty ones (which
//! look like the end), and it cuts off what the receiver's buffer has no room for. So a message travels as
//! chunks of up to 32 KiB, each a packet behind one byte of flags. A packet is sent whole or not at all:
//! a send that is broken off leaves no half packet, and the next message's first chunk says that it was.
//! A receiver holds one chunk, whatever the message's length.

use core::fmt;
use std::io::IoSlice;

use strait_os_base::pipe::{IoFailure, Stream as _};

use super::cancel::Wait;
use super::socket::Connection;

/// Bytes of a message that one packet carries.
const CHUNK: usize = 32 * 1024;

/// The flags: the chunk starts a message, the chunk ends one.
const FIRST: u8 = 1;
const LAST: u8 = 2;

/// One end that passes messages.
pub struct Messages {
    /// The connection.
    pub connection: Connection,
    /// The packet received last: flags and data.
    packet: Box<[u8]>,
    /// The part of `packet` that has not been handed out: from, to. The flags are looked at once, when `fresh`.
    from: usize,
    to: usize,
    fresh: bool,
    /// A message has begun and has not ended.
    inside: bool,
    fault: bool,
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Messages {
    /// Of a connection of that kind.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        // One byte more than there can be: so that a longer packet, which the system cuts off, is found out.
        let packet = vec![0; 1 + CHUNK + 1].into_boxed_slice();
        Self { connection, packet, from: 0, to: 0, fresh: false, inside: false, fault: false }
    }

    /// Receives a message or a part of one: how many bytes, and whether it goes on. At most one packet is
    /// looked at.
    pub fn recv(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<(usize, bool), IoFailure> {
        if self.fault {
            return Err(IoFailure::Fault);
        }
        if !self.fresh && self.from == self.to {
            self.fetch(wait)?;
        }
        if self.fresh {
            self.fresh = false;
            let starts = self.packet[0] & FIRST != 0;
            if starts && self.inside {
                self.inside = false;
                self.fresh = true;
                return Err(IoFailure::Broken);
            }
            if !starts && !self.inside {
                self.fault = true;
                return Err(IoFailure::Fault);
            }
            self.inside = true;
        }
        let len = buf.len().min(self.to - self.from);
        buf[..len].copy_from_slice(&self.packet[self.from..self.from + len]);
        self.from += len;
        let more = self.from < self.to || self.packet[0] & LAST == 0;
        self.inside = more;
        Ok((len, more))
    }

    /// Receives a packet, and refuses what this side would never send.
    fn fetch(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        let len = self.connection.receive(&mut self.packet, wait)?;
        if len == 0 {
            return Err(IoFailure::Ended);
        }
        let flags = self.packet[0];
        let empty_is_legal = flags == FIRST | LAST;
        if flags & !(FIRST | LAST) != 0 || (len == 1 && !empty_is_legal) || len > 1 + CHUNK {
            self.fault = true;
            return Err(IoFailure::Fault);
        }
        (self.from, self.to, self.fresh) = (1, len, true);
        Ok(())
    }

    /// Sends a message.
    /// An error means that it was not delivered.
    pub fn send(&mut self, message: &[u8], wait: Wait<'_>) -> Result<(), IoFailure> {
        let mut at = 0;
        loop {
            let end = message.len().min(at + CHUNK);
            let first = if at == 0 { FIRST } else { 0 };
            let last = if end == message.len() { LAST } else { 0 };
            let flags = [first | last];
            let parts = [IoSlice::new(&flags), IoSlice::new(&message[at..end])];
            self.connection.send(&parts, wait)?;
            if last != 0 {
                return Ok(());
            }
            at = end;
        }
    }

    /// Whether receiving would not wait.
    pub fn is_readable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.fault || self.fresh || self.from < self.to || self.connection.is_readable()?)
    }
}
