//! Anonymous pipes: this process's end does not block, the other is the standard library's.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::unistd::{read, write};
use strait_os_base::OsError;
use strait_os_base::pipe::{IoFailure, Stream};

use super::cancel::{Canceller, Wait};
use super::wait::{is_ready, perform};
use crate::fd;

/// This process's end.
#[derive(Debug)]
pub struct End(OwnedFd);

impl End {
    /// A pipe: this process's end, which reads or else writes, and the other one.
    pub fn pair(ours_reads: bool) -> Result<(Self, OwnedFd), OsError> {
        let (reader, writer) = pipe().map_err(|error| OsError::io("pipe", &error))?;
        let (ours, theirs) = if ours_reads { (reader, writer) } else { (writer, reader) };
        // The description is this process's alone.
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(|error| OsError::new("fcntl", error as i32))?;
        Ok((Self(ours), theirs))
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((fd::keep(reader)?.into(), fd::keep(writer)?.into()))
}

impl Stream for End {
    type Canceller = Canceller;

    fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        let fd = &self.0;
        match perform(fd.as_fd(), PollFlags::POLLIN, wait, "read", || read(fd, buf))? {
            0 => Err(IoFailure::Ended),
            len => Ok(len),
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        let fd = &self.0;
        perform(fd.as_fd(), PollFlags::POLLOUT, wait, "write", || write(fd, bytes))
    }

    fn flush(&mut self, _wait: Wait<'_>) -> Result<(), IoFailure> {
        Ok(())
    }

    fn is_readable(&mut self) -> Result<bool, IoFailure> {
        is_ready(self.0.as_fd(), PollFlags::POLLIN)
    }

    fn is_writable(&mut self) -> Result<bool, IoFailure> {
        is_ready(self.0.as_fd(), PollFlags::POLLOUT)
    }
}
