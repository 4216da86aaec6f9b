//! The files of regions: made so that they appear complete, and opened with suspicion.

pub(crate) mod check;
pub(crate) mod draft;

use std::fs::File;
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES, GetFileInformationByHandle,
};

use crate::error::FromCall as _;

/// The system's information on an open file.
pub(crate) fn information(file: &File) -> Result<BY_HANDLE_FILE_INFORMATION, OsError> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and the pointer a local's.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) } == 0 {
        return Err(OsError::last("GetFileInformationByHandle"));
    }
    Ok(found)
}

/// Whether the path leads to this very file.
pub(crate) fn leads_to(path: &Path, file: &File) -> Result<bool, OsError> {
    let opened = File::options()
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
        .open(path);
    match opened {
        Ok(there) => same(&there, file),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(OsError::io("CreateFile", &error)),
    }
}

/// Whether both are the same file.
pub(crate) fn same(one: &File, other: &File) -> Result<bool, OsError> {
    let (one, other) = (information(one)?, information(other)?);
    let index = |of: &BY_HANDLE_FILE_INFORMATION| (of.nFileIndexHigh, of.nFileIndexLow);
    // Under wine a file that was renamed while it was open has lost its volume's number.
    let volumes = [one.dwVolumeSerialNumber, other.dwVolumeSerialNumber];
    Ok(index(&one) == index(&other) && (volumes[0] == volumes[1] || volumes.contains(&0)))
}

/// Whether there is nothing of that name.
pub(crate) fn is_not_found(error: &io::Error) -> bool {
    let code = error.raw_os_error().map_or(0, |code| code as u32);
    matches!(code, ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND)
}
