//! There is no sealed memory here.

use std::fs::File;
use std::os::fd::BorrowedFd;

use strait_os_base::{OsError, ShareFailed};

use crate::failed::{CreateFailed, ReceiveFailed};

/// Unsupported.
pub(crate) fn create(_mode: u32, _len: u32) -> Result<File, CreateFailed> {
    Err(CreateFailed::Unsupported)
}

/// Never called, as nothing was created.
pub(crate) fn seal(_file: &File) -> Result<(), OsError> {
    Ok(())
}

/// Nothing is.
pub(crate) fn is_sealed(_file: &File) -> bool {
    false
}

/// No file is known to be.
pub(crate) fn is_kept_long(_file: &File) -> bool {
    false
}

/// Unsupported.
pub(crate) fn share(_socket: BorrowedFd<'_>, _file: &File) -> Result<(), ShareFailed> {
    Err(ShareFailed::Unsupported)
}

/// Unsupported.
pub(crate) fn accept(_socket: BorrowedFd<'_>) -> Result<(File, u32), ReceiveFailed> {
    Err(ReceiveFailed::Unsupported)
}
