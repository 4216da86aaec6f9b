//! Anonymous pipes: this process's end with time-outs, the other the standard library's.
//!
//! The system's own anonymous pipes know no time-outs, so these are named ones, with a name that nobody
//! guesses, one instance, and one direction; the standard library makes a child's streams in the same way.

use core::ptr::{null, null_mut};
use std::os::windows::io::OwnedHandle;

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, PIPE_ACCESS_INBOUND,
    PIPE_ACCESS_OUTBOUND, SECURITY_ANONYMOUS, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use super::instance::BUFFER;
use super::options::Options;
use super::overlapped::Channel;
use crate::entropy;
use crate::error::FromCall as _;
use crate::security::own;
use crate::wide::wide;

/// This process's end, made for overlapped operations.
#[derive(Debug)]
pub struct End(pub(super) Channel);

impl End {
    /// A pipe: this process's end, which reads or else writes, and the other, which is not made for overlapped
    /// operations, since a child does not expect that.
    pub fn pair(ours_reads: bool) -> Result<(Self, OwnedHandle), OsError> {
        let [high, low] = [entropy::random_u64()?, entropy::random_u64()?];
        let path = wide(format!(r"\\.\pipe\strait-{high:016x}{low:016x}"));
        let descriptor = Options::new().descriptor()?;
        let attributes = descriptor.attributes();
        let (ours, theirs) = if ours_reads {
            (PIPE_ACCESS_INBOUND, GENERIC_WRITE)
        } else {
            (PIPE_ACCESS_OUTBOUND, GENERIC_READ)
        };
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
        Ok((Self(Channel::new(ours)?), unsafe { own(theirs) }))
    }
}
