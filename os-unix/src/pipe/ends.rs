//! Anonymous pipes between parent and child: this process's end with time-outs, the other as the standard
//! library has it.

use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::unistd::{read, write};
use strait_os_common::pipe::{DEFAULT_TIMEOUT, Limit, PipeError};

use super::cancel::Canceller;
use super::wait::{is_ready, perform};
use crate::error::{FromCall as _, OsError};

/// The end that reads of an anonymous pipe, with time-outs. The other end is the standard library's, and is
/// made to be a child's standard output or error stream; two pipes make a duplex one.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::process::Command;
/// use std::time::Duration;
/// use strait_os_unix::pipe::{PipeError, ReadEnd};
///
/// let (mut ours, theirs) = ReadEnd::pair()?;
/// // The `Command` holds their end until it is dropped, here at the end of the statement.
/// let mut child = Command::new("echo").arg("done").stdout(theirs).spawn()?;
/// let mut buf = [0; 16];
/// let len = ours.read_timeout(&mut buf, Duration::from_secs(10))?;
/// assert_eq!(&buf[..len], b"done\n");
/// assert_eq!(ours.read_timeout(&mut buf, Duration::from_secs(10)), Err(PipeError::PeerEnded));
/// # child.wait()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReadEnd(End);

/// The end that writes of an anonymous pipe, with time-outs. The other end is the standard library's, and
/// is made to be a child's standard input. Dropping this one ends that stream.
///
/// A write after the reader has ended is an error, and no signal, in a program whose `main` is Rust's;
/// another must ignore `SIGPIPE`.
#[derive(Debug)]
pub struct WriteEnd(End);

#[derive(Debug)]
struct End {
    fd: OwnedFd,
    cancel: Option<Canceller>,
    timeout: Duration,
}

impl End {
    /// Takes a descriptor whose description is this process's alone.
    fn new(fd: OwnedFd) -> Result<Self, OsError> {
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| OsError::nix("fcntl", error))?;
        Ok(Self { fd, cancel: None, timeout: DEFAULT_TIMEOUT })
    }
}

impl ReadEnd {
    /// A pipe: this process's end, and the one for the child.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn pair() -> Result<(Self, std::io::PipeWriter), OsError> {
        let (ours, theirs) = std::io::pipe().map_err(|error| OsError::io("pipe", &error))?;
        Ok((Self(End::new(ours.into())?), theirs))
    }

    /// Reads what is there, waiting up to `timeout` for at least one byte. 0 only if `buf` is empty.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; `PeerEnded` when all was read and nobody has the other end any more.
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
        let End { fd, cancel, .. } = &self.0;
        match perform(fd.as_fd(), PollFlags::POLLIN, cancel.as_ref(), limit, "read", || read(fd, buf))? {
            0 => Err(PipeError::PeerEnded),
            len => Ok(len),
        }
    }

    /// Whether a read would not wait: bytes are there, or the other end is closed.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        is_ready(self.0.fd.as_fd(), PollFlags::POLLIN)
    }

    /// What can cancel the waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.0.cancel = canceller.cloned();
    }

    /// How long the calls of embedded-io's traits wait, which have no time-out of their own: 10 s unless set.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.0.timeout = timeout;
    }

    /// How long the calls of embedded-io's traits wait.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }
}

impl WriteEnd {
    /// A pipe: this process's end, and the one for the child.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn pair() -> Result<(Self, std::io::PipeReader), OsError> {
        let (theirs, ours) = std::io::pipe().map_err(|error| OsError::io("pipe", &error))?;
        Ok((Self(End::new(ours.into())?), theirs))
    }

    /// Writes what there is room for, waiting up to `timeout` for at least one byte of it. Answers how many
    /// bytes were taken.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: nothing was taken then. `PeerEnded` if nobody has the other end any more.
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
        let End { fd, cancel, .. } = &self.0;
        perform(fd.as_fd(), PollFlags::POLLOUT, cancel.as_ref(), limit, "write", || write(fd, bytes))
    }

    /// Waits until the system has all that was written, so that it arrives even if this end is dropped now.
    /// Here it always has.
    ///
    /// # Errors
    ///
    /// [`PipeError`] on Windows.
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        let _ = timeout;
        Ok(())
    }

    /// Whether a write would not wait: there is room, or the other end is closed.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_writable(&mut self) -> Result<bool, PipeError> {
        is_ready(self.0.fd.as_fd(), PollFlags::POLLOUT)
    }

    /// What can cancel the waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.0.cancel = canceller.cloned();
    }

    /// How long the calls of embedded-io's traits wait, which have no time-out of their own: 10 s unless set.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.0.timeout = timeout;
    }

    /// How long the calls of embedded-io's traits wait.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }
}
