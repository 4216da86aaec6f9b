//! Sockets of the Unix systems.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::timed::TimedIo;

impl TimedIo for UnixStream {
    fn read_timeout(&mut self, into: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.set_read_timeout(Some(timeout))?;
        self.read(into)
    }

    fn write_timeout(&mut self, from: &[u8], timeout: Duration) -> io::Result<usize> {
        self.set_write_timeout(Some(timeout))?;
        self.write(from)
    }
}
