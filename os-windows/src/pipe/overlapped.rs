//! Operations on pipes that are given up when the time is over.
//!
//! A read fills the caller's buffer, so it is cancelled and its end waited for before the call returns:
//! what it had received by then is the answer, so nothing is lost. A write that is cancelled would not say
//! how much the peer has taken, so writes are never cancelled but at the end of the handle: what was taken
//! from the caller is in a buffer of ours, and the next write waits for it.

use core::ptr::null_mut;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use strait_os_base::OsError;
use strait_os_base::pipe::IoFailure;
use windows_sys::Win32::Foundation::{
    ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_NOT_ENOUGH_MEMORY, ERROR_OPERATION_ABORTED,
    ERROR_PIPE_CONNECTED, GetLastError, HANDLE,
};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, PeekNamedPipe};

use super::cancel::Wait;
use super::event::{Event, wait_for};
use crate::error::FromCall as _;
use crate::error::FromOs as _;

/// One handle on one end of a pipe, made for overlapped operations.
///
/// # Invariants
///
/// - O1. While `flight` is under way, the system reads `buffer` and writes to `flight`. Both are on the heap,
///   untouched and not freed until its end has been seen.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) handle: OwnedHandle,
    read: Event,
    written: Event,
    buffer: Vec<u8>,
    flight: Box<Flight>,
}

/// A write that may be under way.
struct Flight {
    under_way: bool,
    state: OVERLAPPED,
}

// SAFETY: the pointers in it are the system's; any thread may wait for the operation.
unsafe impl Send for Flight {}
// SAFETY: through a shared reference nothing of it is touched.
unsafe impl Sync for Flight {}

impl core::fmt::Debug for Flight {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.under_way.fmt(f)
    }
}

/// Not to wait at all.
const NOW: Wait<'static> = Wait { until: None, cancel: None };

/// Whether it was cancelled before it began to wait.
fn is_cancelled(wait: Wait<'_>) -> bool {
    wait.until.is_some() && wait.cancel.is_some_and(|cancel| cancel.take_within(0))
}

/// Outcome of a read.
pub(super) struct Arrived {
    pub(super) len: usize,
    /// The message goes on.
    pub(super) more: bool,
}

impl Channel {
    pub(super) fn new(handle: OwnedHandle) -> Result<Self, OsError> {
        let flight = Box::new(Flight { under_way: false, state: OVERLAPPED::default() });
        let (read, written) = (Event::new(true)?, Event::new(true)?);
        Ok(Self { handle, read, written, buffer: Vec::new(), flight })
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }

    /// Reads what is there, waiting until then for it.
    pub(super) fn read(&mut self, buf: &mut [u8], wait: Wait<'_>) -> Result<Arrived, IoFailure> {
        if is_cancelled(wait) {
            return Err(IoFailure::Cancelled);
        }
        let len = u32::try_from(buf.len()).unwrap_or(u32::MAX);
        let mut state = OVERLAPPED { hEvent: self.read.raw(), ..OVERLAPPED::default() };
        // SAFETY: the handle is open for overlapped reads; buffer and state stay in place until the
        // operation has ended, which `finish` sees to before this returns.
        let done = unsafe { ReadFile(self.raw(), buf.as_mut_ptr(), len, null_mut(), &raw mut state) };
        let (len, code) = self.finish("ReadFile", done, &mut state, wait)?;
        match code {
            0 => Ok(Arrived { len, more: false }),
            ERROR_MORE_DATA => Ok(Arrived { len, more: true }),
            code => Err(IoFailure::from_os(OsError::numbered("ReadFile", code))),
        }
    }

    /// Waits for a client to connect to this instance.
    pub(super) fn connect(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        if is_cancelled(wait) {
            return Err(IoFailure::Cancelled);
        }
        let mut state = OVERLAPPED { hEvent: self.read.raw(), ..OVERLAPPED::default() };
        // SAFETY: as for a read; there is no buffer.
        let done = unsafe { ConnectNamedPipe(self.raw(), &raw mut state) };
        let (_, code) = self.finish("ConnectNamedPipe", done, &mut state, wait)?;
        match IoFailure::from_os(OsError::numbered("ConnectNamedPipe", code)) {
            _ if code == 0 || code == ERROR_PIPE_CONNECTED => Ok(()),
            // It has gone again, but what it has written is still there.
            IoFailure::Ended => Ok(()),
            error => Err(error),
        }
    }

    /// Waits for the end of an operation, or cancels it and waits for that, so that the system does not
    /// touch its state any more. Returns how many bytes it moved and the system's error number.
    fn finish(
        &self,
        call: &'static str,
        done: i32,
        state: &mut OVERLAPPED,
        wait: Wait<'_>,
    ) -> Result<(usize, u32), IoFailure> {
        let mut given_up = None;
        if done == 0 {
            // SAFETY: it reads a number of the calling thread.
            let code = unsafe { GetLastError() };
            match code {
                ERROR_IO_PENDING => given_up = wait_for(&self.read, wait).err(),
                // It failed at once, or a message was cut at once, which counts as an end too.
                ERROR_MORE_DATA => {}
                code => return Ok((0, code)),
            }
        }
        if given_up.is_some() {
            // SAFETY: the handle is open. That there is nothing to cancel any more is fine.
            unsafe { CancelIoEx(self.raw(), state) };
        }
        let mut len = 0;
        // SAFETY: the operation was begun with this handle and state. A cancelled one ends at once.
        let ended = unsafe { GetOverlappedResult(self.raw(), state, &raw mut len, 1) };
        // SAFETY: it reads a number of the calling thread.
        let code = if ended != 0 { 0 } else { unsafe { GetLastError() } };
        match given_up {
            Some(error) if code == ERROR_OPERATION_ABORTED => Err(error),
            Some(IoFailure::Cancelled) => {
                // It ended by itself just then: the cancel is for the next call.
                if let Some(cancel) = wait.cancel {
                    cancel.cancel();
                }
                Ok((len as usize, code))
            }
            Some(IoFailure::Os(error)) => Err(IoFailure::Os(error)),
            _ if code == ERROR_OPERATION_ABORTED => Err(IoFailure::Os(OsError::numbered(call, code))),
            _ => Ok((len as usize, code)),
        }
    }

    /// Waits until the last write has ended.
    pub(super) fn settle(&mut self, wait: Wait<'_>) -> Result<(), IoFailure> {
        if is_cancelled(wait) {
            return Err(IoFailure::Cancelled);
        }
        if !self.flight.under_way {
            return Ok(());
        }
        wait_for(&self.written, wait)?;
        self.land()
    }

    /// Sees the end of the last write, waiting for it if need be.
    fn land(&mut self) -> Result<(), IoFailure> {
        let mut len = 0;
        let state = &raw const self.flight.state;
        // SAFETY: the operation was begun with this handle and state (O1).
        let ended = unsafe { GetOverlappedResult(self.raw(), state, &raw mut len, 1) };
        self.flight.under_way = false;
        if ended == 0 { Err(IoFailure::from_os(OsError::last("WriteFile"))) } else { Ok(()) }
    }

    /// Takes these bytes, once the last write has ended, and begins to write them. It may go on after this
    /// has returned.
    pub(super) fn write(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<(), IoFailure> {
        self.settle(wait)?;
        self.buffer.clear();
        if self.buffer.try_reserve(bytes.len()).is_err() {
            return Err(IoFailure::Os(OsError::numbered("take the bytes", ERROR_NOT_ENOUGH_MEMORY)));
        }
        self.buffer.extend_from_slice(bytes);
        self.flight.state = OVERLAPPED { hEvent: self.written.raw(), ..OVERLAPPED::default() };
        let (from, len) = (self.buffer.as_ptr(), self.buffer.len() as u32);
        let state = &raw mut self.flight.state;
        // SAFETY: the handle is open for overlapped writes, and what the system reads and writes stays in
        // place until the end is seen (O1).
        let done = unsafe { WriteFile(self.raw(), from, len, null_mut(), state) };
        // SAFETY: it reads a number of the calling thread.
        let code = if done != 0 { 0 } else { unsafe { GetLastError() } };
        match code {
            0 => Ok(()),
            ERROR_IO_PENDING => {
                self.flight.under_way = true;
                // Mostly there is room, and it has ended already.
                match wait_for(&self.written, NOW) {
                    Ok(()) => self.land(),
                    Err(_) => Ok(()),
                }
            }
            code => Err(IoFailure::from_os(OsError::numbered("WriteFile", code))),
        }
    }

    /// Whether bytes are there, or the peer has ended.
    pub(super) fn is_readable(&self) -> bool {
        let mut there = 0;
        let none = null_mut();
        // SAFETY: the handle is open, and the pointer a local's; nothing else is asked for.
        let peeked = unsafe { PeekNamedPipe(self.raw(), null_mut(), 0, null_mut(), &raw mut there, none) };
        peeked == 0 || there > 0
    }

    /// Whether the last write has ended, so that the next is taken at once.
    pub(super) fn is_writable(&mut self) -> bool {
        !self.flight.under_way || wait_for(&self.written, NOW).is_ok()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.flight.under_way {
            // SAFETY: the handle is open.
            unsafe { CancelIoEx(self.raw(), &raw const self.flight.state) };
            // The peer never gets what it has not taken by now.
            let _ = self.land();
        }
    }
}
