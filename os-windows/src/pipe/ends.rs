//! Anonymous pipes between parent and child: this process's end with time-outs, the other as the standard
//! library has it.
//!
//! The system's own anonymous pipes know no time-outs, so these are named ones, with a name that nobody
//! guesses, one instance, and one direction; the standard library makes a child's streams in the same way.

use core::ptr::{null, null_mut};
use core::time::Duration;
use std::os::windows::io::OwnedHandle;

use strait_os_common::pipe::{DEFAULT_TIMEOUT, Limit, PipeError};
use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, PIPE_ACCESS_INBOUND,
    PIPE_ACCESS_OUTBOUND, SECURITY_ANONYMOUS, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use super::cancel::Canceller;
use super::instance::BUFFER;
use super::options::PipeOptions;
use super::overlapped::End;
use crate::entropy;
use crate::error::{FromCall as _, OsError};
use crate::security::own;
use crate::wide::wide;

/// The end that reads of an anonymous pipe, with time-outs. The other end is the standard library's, and is
/// made to be a child's standard output or error stream; two pipes make a duplex one.
#[derive(Debug)]
pub struct ReadEnd {
    end: End,
    timeout: Duration,
}

/// The end that writes of an anonymous pipe, with time-outs. The other end is the standard library's, and
/// is made to be a child's standard input. Dropping this one ends that stream.
#[derive(Debug)]
pub struct WriteEnd {
    end: End,
    timeout: Duration,
}

/// Makes a pipe: our end, made for overlapped operations, and the other, which is not, since a child does not
/// expect that.
fn pair(ours_reads: bool) -> Result<(End, OwnedHandle), OsError> {
    let [high, low] = [entropy::random_u64()?, entropy::random_u64()?];
    let path = wide(format!(r"\\.\pipe\strait-{high:016x}{low:016x}"));
    let descriptor = PipeOptions::new().descriptor()?;
    let attributes = descriptor.attributes();
    let (ours, theirs) =
        if ours_reads { (PIPE_ACCESS_INBOUND, GENERIC_WRITE) } else { (PIPE_ACCESS_OUTBOUND, GENERIC_READ) };
    let open_mode = ours | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
    let pipe_mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    let (at, security) = (path.as_ptr(), &raw const attributes);
    // SAFETY: the path ends in a zero, and the attributes live until the call is over.
    let ours = unsafe { CreateNamedPipeW(at, open_mode, pipe_mode, 1, BUFFER, BUFFER, 0, security) };
    if ours == INVALID_HANDLE_VALUE {
        return Err(OsError::last("CreateNamedPipe"));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let ours = unsafe { own(ours) };
    let flags = SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS;
    // SAFETY: the path ends in a zero; neither attributes nor a template are given.
    let theirs = unsafe { CreateFileW(at, theirs, 0, null(), OPEN_EXISTING, flags, null_mut()) };
    if theirs == INVALID_HANDLE_VALUE {
        return Err(OsError::last("CreateFile"));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok((End::new(ours, None)?, unsafe { own(theirs) }))
}

impl ReadEnd {
    /// A pipe: this process's end, and the one for the child.
    ///
    /// # Errors
    ///
    /// [`OsError`].
    pub fn pair() -> Result<(Self, std::io::PipeWriter), OsError> {
        let (end, theirs) = pair(true)?;
        Ok((Self { end, timeout: DEFAULT_TIMEOUT }, theirs.into()))
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
        loop {
            // 0: the child wrote no bytes, which is no end.
            match self.end.read(buf, limit)?.len {
                0 => limit.left().map(drop)?,
                len => return Ok(len),
            }
        }
    }

    /// Whether a read would not wait: bytes are there, or the other end is closed.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_readable(&mut self) -> Result<bool, PipeError> {
        Ok(self.end.is_readable())
    }

    /// What can cancel the waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.end.cancel = canceller.cloned();
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
    pub fn pair() -> Result<(Self, std::io::PipeReader), OsError> {
        let (end, theirs) = pair(false)?;
        Ok((Self { end, timeout: DEFAULT_TIMEOUT }, theirs.into()))
    }

    /// Takes up to 64 KiB to write, waiting up to `timeout` for what was taken before to have gone. Answers
    /// how many bytes were taken; these arrive, unless this end is dropped before the system has them: then
    /// [flush](Self::flush_timeout) before.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: nothing was taken then. `PeerEnded` if nobody has the other end any more.
    pub fn write_timeout(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, PipeError> {
        self.write(bytes, Limit::after(timeout))
    }

    /// Takes what there is room for. Never waits.
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
        let len = bytes.len().min(BUFFER as usize);
        self.end.write(&bytes[..len], limit).map(|()| len)
    }

    /// Waits until the system has all that was written, so that it arrives even if this end is dropped now.
    ///
    /// # Errors
    ///
    /// [`PipeError`].
    pub fn flush_timeout(&mut self, timeout: Duration) -> Result<(), PipeError> {
        self.end.settle(Limit::after(timeout))
    }

    /// Whether a write would not wait: there is room, or the other end is closed.
    ///
    /// # Errors
    ///
    /// [`PipeError::Os`].
    pub fn is_writable(&mut self) -> Result<bool, PipeError> {
        Ok(self.end.is_writable())
    }

    /// What can cancel the waits from now on; `None` takes it away.
    pub fn set_canceller(&mut self, canceller: Option<&Canceller>) {
        self.end.cancel = canceller.cloned();
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
