//! Anonymous pipes: this process's end does not block, the other is the standard library's.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::unistd::{read, write};

use super::cancel::Wait;
use super::error::IoFailure;
use super::wait::{is_ready, perform};
use crate::error::{FromCall as _, OsError};
use crate::fd;

fn pair() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((fd::keep(reader)?, fd::keep(writer)?))
}

/// This process's end.
#[derive(Debug)]
pub struct End(OwnedFd);

impl End {
    /// A pipe of which this process reads.
    pub fn reader() -> Result<(Self, PipeWriter), OsError> {
        let (reader, writer) = pair().map_err(|error| OsError::io("pipe", &error))?;
        Ok((Self::new(reader.into())?, writer))
    }

    /// A pipe to which this process writes.
    pub fn writer() -> Result<(Self, PipeReader), OsError> {
        let (reader, writer) = pair().map_err(|error| OsError::io("pipe", &error))?;
        Ok((Self::new(writer.into())?, reader))
    }

    /// Takes a descriptor whose description is this process's alone.
    fn new(fd: OwnedFd) -> Result<Self, OsError> {
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| OsError::nix("fcntl", error))?;
        Ok(Self(fd))
    }

    /// Reads at least one byte.
    pub fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        let fd = &self.0;
        match perform(fd.as_fd(), PollFlags::POLLIN, wait, "read", || read(fd, buf))? {
            0 => Err(IoFailure::Ended),
            len => Ok(len),
        }
    }

    /// Writes at least one byte.
    pub fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        let fd = &self.0;
        perform(fd.as_fd(), PollFlags::POLLOUT, wait, "write", || write(fd, bytes))
    }

    /// Nothing: the system has all that was written.
    pub fn flush(&mut self, _wait: Wait<'_>) -> Result<(), IoFailure> {
        Ok(())
    }

    /// Whether a read would not wait.
    pub fn is_readable(&mut self) -> Result<bool, IoFailure> {
        is_ready(self.0.as_fd(), PollFlags::POLLIN)
    }

    /// Whether a write would not wait.
    pub fn is_writable(&mut self) -> Result<bool, IoFailure> {
        is_ready(self.0.as_fd(), PollFlags::POLLOUT)
    }
}
