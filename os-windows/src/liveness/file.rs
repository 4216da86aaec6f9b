//! Liveness tokens as locks on single bytes of the region's file, far behind its end.
//!
//! The bytes are those that participants on Linux lock. The two never meet on one machine, but for a
//! Windows program under wine, which hands its locks to Linux.
//!
//! # Invariants
//!
//! - L1. The token's file object is opened by this process alone, and its handle is neither inherited
//!   nor handed over. A lock belongs to process and file object, so it ends with this process, and not
//!   before it is given back.
//! - L2. The probe's file object is another one, on which nobody ever takes a token. So a probe sees
//!   this process's own tokens as what they are: held. (On the token's own, a shared lock would be
//!   granted over the exclusive one, and giving it back would give the token back.)

use std::fs::File;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use strait_core::port::{Ident, TokenRefused};
use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_LOCK_VIOLATION, GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FileRemoteProtocolInfo,
    GetFileInformationByHandleEx, LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, ReOpenFile,
    UnlockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use super::Unproven;
use crate::error::FromCall as _;
use crate::file;
use crate::security::own;

/// Tokens are at offsets beyond every possible content of the file.
const TOKEN_BASE: u64 = 1 << 40;

/// How often a token is tried for, which another's probe may be in the way of for a moment.
const TRIES: u32 = 16;

/// The tokens of one region, in its file.
#[derive(Debug)]
pub struct FileTokens {
    /// `None` where this handle takes no part.
    token: Option<OwnedHandle>,
    probe: File,
    proves_death: bool,
}

impl FileTokens {
    /// Prepares the region's file for probes, and for tokens too if it takes part.
    pub(crate) fn new(probe: File, joins: bool) -> Result<Self, OsError> {
        let token = if joins { Some(another(&probe)?) } else { None };
        // A server may lose its locks, so its word is no proof.
        let proves_death = !is_remote(&probe);
        Ok(Self { token, probe, proves_death })
    }

    /// The region's file.
    pub(crate) fn file(&self) -> &File {
        &self.probe
    }

    /// Locks the byte exclusively.
    pub(super) fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let token = self.token.as_ref().ok_or(TokenRefused)?.as_raw_handle();
        for _ in 0..TRIES {
            match lock(token, who, LOCKFILE_EXCLUSIVE_LOCK) {
                Ok(true) => return Ok(()),
                Ok(false) => std::thread::yield_now(),
                Err(_) => break,
            }
        }
        Err(TokenRefused)
    }

    /// Unlocks the byte, if it is ours.
    pub(super) fn release(&self, who: Ident) {
        if let Some(token) = &self.token {
            unlock(token.as_raw_handle(), who);
        }
    }

    /// Whether nobody has the byte: then a shared lock is granted, and given back at once.
    pub(super) fn is_free(&self, who: Ident) -> Result<bool, Unproven> {
        if !self.proves_death {
            return Err(Unproven);
        }
        let probe = self.probe.as_raw_handle();
        let free = lock(probe, who, 0)?;
        if free {
            unlock(probe, who);
        }
        Ok(free)
    }
}

/// Opens a file again: a file object of its own. Fails if the file is being deleted. (Wine opens by the
/// file's former name, which may be another file's by now.)
fn another(file: &File) -> Result<OwnedHandle, OsError> {
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // SAFETY: the handle is open.
    let handle = unsafe { ReOpenFile(file.as_raw_handle(), GENERIC_READ | GENERIC_WRITE, share, 0) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(OsError::last("ReOpenFile"));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let new = File::from(unsafe { own(handle) });
    if file::same(&new, file)? {
        Ok(new.into())
    } else {
        Err(OsError::numbered("ReOpenFile", ERROR_FILE_NOT_FOUND))
    }
}

/// Whether another machine keeps the file. What does not say so is taken for local.
fn is_remote(file: &File) -> bool {
    // As long as the longest version of the answer.
    let mut answer = [0_u64; 32];
    let (at, len) = (answer.as_mut_ptr().cast(), size_of_val(&answer) as u32);
    // SAFETY: the handle is open, and the buffer aligned and as long as stated.
    unsafe { GetFileInformationByHandleEx(file.as_raw_handle(), FileRemoteProtocolInfo, at, len) != 0 }
}

/// The byte of an identity, as the calls take it.
fn place(who: Ident) -> OVERLAPPED {
    let offset = TOKEN_BASE + u64::from(who.word());
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.Offset = offset as u32;
    place.Anonymous.Anonymous.OffsetHigh = (offset >> 32) as u32;
    place
}

/// Locks the byte without waiting; whether nobody was in the way.
fn lock(file: HANDLE, who: Ident, how: u32) -> Result<bool, OsError> {
    let mut place = place(who);
    // SAFETY: the handle is open, and not for overlapped use, so the place is used during the call only.
    if unsafe { LockFileEx(file, how | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &raw mut place) } != 0 {
        return Ok(true);
    }
    let error = OsError::last("LockFileEx");
    if error.is(ERROR_LOCK_VIOLATION) { Ok(false) } else { Err(error) }
}

fn unlock(file: HANDLE, who: Ident) {
    let mut place = place(who);
    // Fails for a byte that is not locked, and then there is nothing to do.
    // SAFETY: as for locking.
    unsafe { UnlockFileEx(file, 0, 1, 0, &raw mut place) };
}
