//! Anonymous pipes between parent and child: this process's end with time-outs, the other as the standard
//! library has it.

use core::time::Duration;
use std::io::{PipeReader, PipeWriter};

use strait_os_base::pipe::Stream as _;

use super::cancel::{Cancel, Canceller};
use super::error::PipeError;
use super::limit::{DEFAULT_TIMEOUT, Limit};
use crate::OsError;
use crate::sys::pipe::End;

/// The end that reads of an anonymous pipe, with time-outs. The other end is the standard library's, and is
/// made to be a child's standard output or error stream; two pipes make a duplex one.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::process::Command;
/// use std::time::Duration;
/// use strait_os::pipe::{PipeError, ReadEnd};
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
/// # #[cfg(not(unix))] fn main() {}
/// ```
#[derive(Debug)]
pub struct ReadEnd {
    end: End,
    cancel: Cancel,
    timeout: Duration,
}

/// The end that writes of an anonymous pipe, with time-outs. The other end is the standard library's, and
/// is made to be a child's standard input. Dropping this one ends that stream.
///
/// On Unix a write after the reader has ended is an error, and no signal, in a program whose `main` is Rust's;
/// another must ignore `SIGPIPE`.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::process::{Command, Stdio};
/// use std::time::Duration;
/// use strait_os::pipe::WriteEnd;
///
/// let (mut ours, theirs) = WriteEnd::pair()?;
/// let child = Command::new("cat").stdin(theirs).stdout(Stdio::piped()).spawn()?;
/// assert_eq!(ours.write_timeout(b"done", Duration::from_secs(10))?, 4);
/// drop(ours); // `cat` sees the end of its input.
/// assert_eq!(child.wait_with_output()?.stdout, b"done");
/// # Ok(())
/// # }
/// # #[cfg(not(unix))] fn main() {}
/// ```
#[derive(Debug)]
pub struct WriteEnd {
    end: End,
    cancel: Cancel,
    timeout: Duration,
}

impl ReadEnd {
    /// A pipe: this process's end, and the one for the child.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn pair() -> Result<(Self, PipeWriter), OsError> {
        let (end, theirs) = End::pair(true)?;
        Ok((Self { end, cancel: Cancel::NONE, timeout: DEFAULT_TIMEOUT }, theirs.into()))
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
        let read = self.end.read(buf, self.cancel.wait(limit));
        read.map_err(|failure| limit.error(failure))
    }

    /// Whether a read would not wait: bytes are there, or the other end is closed.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        self.end.is_readable().map_err(|failure| Limit::Try.error(failure))
    }

    /// Sets the canceller of the waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.cancel = Cancel::by(canceller);
    }

    /// How long the calls of embedded-io's traits wait, which have no time-out of their own: 10 s unless set.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// How long the calls of embedded-io's traits wait.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl WriteEnd {
    /// A pipe: this process's end, and the one for the child.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn pair() -> Result<(Self, PipeReader), OsError> {
        let (end, theirs) = End::pair(false)?;
        Ok((Self { end, cancel: Cancel::NONE, timeout: DEFAULT_TIMEOUT }, theirs.into()))
    }

    /// Writes what there is room for, waiting up to `timeout` for at least one byte of it. Returns how many
    /// bytes were taken.
    ///
    /// On Windows it takes up to 64 KiB, once what was taken before has gone to the system, and these are lost if
    /// this end is dropped before they have: [flush](Self::flush_timeout) before that.
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
        let written = self.end.write(bytes, self.cancel.wait(limit));
        written.map_err(|failure| limit.error(failure))
    }

    /// Waits until the system has all that was written, so that it arrives even if this end is dropped now.
    /// On Unix it always has.
    ///
    /// # Errors
    ///
    /// [`PipeError`]; none on Unix.
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        let limit = Limit::after(timeout);
        let flushed = self.end.flush(self.cancel.wait(limit));
        flushed.map_err(|failure| limit.error(failure))
    }

    /// Whether a write would not wait: there is room, or the other end is closed.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_writable(&mut self) -> Result<bool, PipeError> {
        self.end.is_writable().map_err(|failure| Limit::Try.error(failure))
    }

    /// Sets the canceller of the waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.cancel = Cancel::by(canceller);
    }

    /// How long the calls of embedded-io's traits wait, which have no time-out of their own: 10 s unless set.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// How long the calls of embedded-io's traits wait.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}
