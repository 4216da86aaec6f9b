//! Anonymous pipes: this process's end with time-outs, the other the standard library's.
//!
//! The system's own anonymous pipes know no time-outs, so these are named ones, with a name that nobody
//! guesses, one instance, and one direction; the standard library makes a child's streams in the same way.

use core::ptr::{null, null_mut};
use std::io::{PipeReader, PipeWriter};
use std::os::windows::io::OwnedHandle;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, PIPE_ACCESS_INBOUND,
    PIPE_ACCESS_OUTBOUND, SECURITY_ANONYMOUS, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use super::cancel::Wait;
use super::error::IoFailure;
use super::instance::{BUFFER, read_some, write_some};
use super::options::Options;
use super::overlapped::Channel;
use crate::entropy;
use crate::error::{FromCall as _, OsError};
use crate::security::own;
use crate::wide::wide;

/// This process's end.
#[derive(Debug)]
pub struct End(Channel);

/// Makes a pipe: our end, made for overlapped operations, and the other, which is not, since a child does not
/// expect that.
fn pair(ours_reads: bool) -> Result<(Channel, OwnedHandle), OsError> {
    let [high, low] = [entropy::random_u64()?, entropy::random_u64()?];
    let path = wide(format!(r"\\.\pipe\strait-{high:016x}{low:016x}"));
    let descriptor = Options::new().descriptor()?;
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
    Ok((Channel::new(ours)?, unsafe { own(theirs) }))
}

impl End {
    /// A pipe of which this process reads.
    pub fn reader() -> Result<(Self, PipeWriter), OsError> {
        pair(true).map(|(ours, theirs)| (Self(ours), theirs.into()))
    }

    /// A pipe to which this process writes.
    pub fn writer() -> Result<(Self, PipeReader), OsError> {
        pair(false).map(|(ours, theirs)| (Self(ours), theirs.into()))
    }

    /// Reads at least one byte.
    pub fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        read_some(&mut self.0, buf, wait)
    }

    /// Takes up to as many bytes as the system keeps, once those before have gone.
    pub fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<usize, IoFailure> {
        write_some(&mut self.0, bytes, wait)
    }

    /// Waits until the system has all that was written.
    pub fn flush(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        self.0.settle(wait)
    }

    /// Whether a read would not wait.
    pub fn is_readable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.0.is_readable())
    }

    /// Whether a write would not wait.
    pub fn is_writable(&mut self) -> Result<bool, IoFailure> {
        Ok(self.0.is_writable())
    }
}
