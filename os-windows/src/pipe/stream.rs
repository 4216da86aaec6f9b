//! Bytes over a channel: one end of a named or an anonymous pipe.

use strait_os_base::pipe::{IoFailure, Stream};

use super::cancel::{Canceller, Wait};
use super::ends::End;
use super::event::in_time;
use super::instance::{BUFFER, Connection};
use super::overlapped::Channel;

impl Stream for Connection {
    type Canceller = Canceller;

    fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        read_some(&mut self.channel, buf, wait)
    }

    fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        write_some(&mut self.channel, bytes, wait)
    }

    fn flush(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        self.channel.settle(wait)
    }

    fn is_readable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.channel.is_readable())
    }

    fn is_writable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.channel.is_writable())
    }
}

impl Stream for End {
    type Canceller = Canceller;

    fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        read_some(&mut self.0, buf, wait)
    }

    fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        write_some(&mut self.0, bytes, wait)
    }

    fn flush(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        self.0.settle(wait)
    }

    fn is_readable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.0.is_readable())
    }

    fn is_writable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.0.is_writable())
    }
}

/// Reads at least one byte.
fn read_some(channel: &mut Channel, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
    loop {
        // 0: a program of another kind wrote no bytes, which is no end.
        match channel.read(buf, wait)?.len {
            0 => in_time(wait.until)?,
            len => return Ok(len),
        }
    }
}

/// Takes up to as many bytes as the system keeps.
fn write_some(channel: &mut Channel, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
    let len = bytes.len().min(BUFFER as usize);
    channel.write(&bytes[..len], wait).map(|()| len)
}
