//! Opening a file that may be anything, and refusing all but a region that is safe to use.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::path::Path;

use strait_core::format::HEADER_LEN;
use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, GENERIC_READ, GENERIC_WRITE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_OPEN_REPARSE_POINT, FILE_TYPE_DISK,
    GetFileType, SECURITY_IDENTIFICATION,
};

use super::{information, is_not_found};
use crate::error::FromCall as _;
use crate::failed::OpenFailed;
use crate::options::Options;
use crate::security::{self, Sort};

/// Opens the file at `path` without following a link, and checks it: its kind, its links, its owner,
/// whom it lets in, its length. Answers with the length as well.
pub(crate) fn open(path: &Path, options: &Options) -> Result<(File, u32), OpenFailed> {
    let write = if options.map.read_only { 0 } else { GENERIC_WRITE };
    let file = File::options()
        .access_mode(GENERIC_READ | write)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        // If it is somebody's pipe, its server can identify us, and cannot act as us.
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(path)
        .map_err(|error| explain(path, &error))?;
    // SAFETY: the handle is open.
    if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
        return Err(OpenFailed::NotAFile { kind: "device or pipe" });
    }
    let found = information(&file)?;
    if let Some(kind) = kind(found.dwFileAttributes) {
        return Err(OpenFailed::NotAFile { kind });
    }
    if found.nNumberOfLinks > 1 {
        return Err(OpenFailed::Linked { links: u64::from(found.nNumberOfLinks) });
    }
    security::check(file.as_handle(), Sort::File, options)?;
    let len = OpenFailed::check_len(u64::from(found.nFileSizeHigh) << 32 | u64::from(found.nFileSizeLow))?;
    Ok((file, len))
}

/// Refuses a file at `path` that does not start as a region does.
pub(crate) fn refuse_other_files(path: &Path) -> Result<(), OpenFailed> {
    let file = File::options()
        .access_mode(GENERIC_READ)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(path)
        .map_err(|error| explain(path, &error))?;
    // SAFETY: the handle is open.
    if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
        return Err(OpenFailed::NotAFile { kind: "device or pipe" });
    }
    if let Some(kind) = kind(information(&file)?.dwFileAttributes) {
        return Err(OpenFailed::NotAFile { kind });
    }
    let mut start = [0; HEADER_LEN as usize];
    let read = (&file).read_exact(&mut start);
    OpenFailed::check_removal(&start, "ReadFile", read)
}

/// What it is, if it is no file.
fn kind(attributes: u32) -> Option<&'static str> {
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        Some("symbolic link or other reparse point")
    } else if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        Some("directory")
    } else {
        None
    }
}

/// The reason to refuse it, as far as the name itself shows one.
fn explain(path: &Path, error: &io::Error) -> OpenFailed {
    if is_not_found(error) {
        return OpenFailed::NotFound;
    }
    if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return OpenFailed::NotAFile { kind: "directory" };
    }
    match OsError::io("CreateFile", error) {
        error if error.is(ERROR_ACCESS_DENIED) => OpenFailed::NotPermitted { owner: None },
        error if error.is(ERROR_SHARING_VIOLATION) => OpenFailed::InUse,
        error => OpenFailed::Os(error),
    }
}
