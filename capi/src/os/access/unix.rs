//! Modes, owners, and sockets that hand regions over.

extern crate std;

use std::os::fd::BorrowedFd;
use std::string::String;

use strait::region::{NameError, ReceiveError, ShareError};
use strait::unix::{RegionNameExt as _, RegionOptionsExt as _};
use strait::{Region, RegionName, RegionOptions, SealedRegion, SystemPort};

use super::super::region::open_status;
use crate::strait_status;

/// The options with a mode, if it is not 0, whether that may be one of readers, and an owner.
pub(crate) fn with_access(
    options: RegionOptions,
    mode: u32,
    readers: bool,
    owner: Option<u32>,
) -> Result<RegionOptions, strait_status> {
    let options = if mode == 0 { options } else { options.mode(mode) }.allow_readers(readers);
    Ok(owner.into_iter().fold(options, RegionOptions::owner))
}

/// The system's number for what is not there.
const ENOENT: i32 = 2;

/// Where a region of this name in the directory is.
pub(crate) fn path_in(directory: &str, name: &str) -> Result<String, strait_status> {
    let name = RegionName::in_directory(directory, name).map_err(|error| match error {
        NameError::NoDirectory(error) if error.code() == ENOENT => strait_status::NotFound,
        NameError::NoDirectory(_) => strait_status::NotTrusted,
        _ => strait_status::BadName,
    })?;
    name.path().and_then(|path| path.to_str()).map(String::from).ok_or(strait_status::BadName)
}

/// # Safety
///
/// `socket`, if not negative, must stay open for as long as `'a`.
unsafe fn borrowed<'a>(socket: i32) -> Result<BorrowedFd<'a>, strait_status> {
    if socket < 0 {
        return Err(strait_status::BadArgument);
    }
    // SAFETY: not -1, and open by the caller's promise.
    Ok(unsafe { BorrowedFd::borrow_raw(socket) })
}

/// Hands a region over.
///
/// # Safety
///
/// `socket`, if not negative, must be open.
pub(crate) unsafe fn share(port: &SystemPort, socket: i32) -> Result<(), strait_status> {
    // SAFETY: the caller's promise.
    let socket = unsafe { borrowed(socket)? };
    port.share(socket).map_err(|error| match error {
        ShareError::NotSealed => strait_status::WrongState,
        ShareError::Forked => strait_status::Forked,
        ShareError::NotPermitted => strait_status::NotPermitted,
        ShareError::Closed => strait_status::Closed,
        _ => strait_status::System,
    })
}

/// Takes a region over.
///
/// # Safety
///
/// `socket`, if not negative, must be open.
pub(crate) unsafe fn receive(socket: i32, options: &RegionOptions) -> Result<Region, strait_status> {
    // SAFETY: the caller's promise.
    let socket = unsafe { borrowed(socket)? };
    SealedRegion::receive(socket, options).map_err(|error| match error {
        ReceiveError::Closed => strait_status::Closed,
        ReceiveError::NotARegion => strait_status::NotARegion,
        ReceiveError::Unsealed => strait_status::NotTrusted,
        ReceiveError::WrongSize { .. } => strait_status::Damaged,
        ReceiveError::Open(error) => open_status(error),
        _ => strait_status::System,
    })
}
