//! Sections: memory that processes share, with a name or without.

mod directory;
mod sign;

use core::ptr::null;
use std::fs::File;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, GetLastError, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, OpenFileMappingW, PAGE_READONLY, PAGE_READWRITE,
};

use crate::error::FromCall as _;
use crate::name::Space;
use crate::options::Options;
use crate::security::{Descriptor, own};

pub(crate) use directory::names;
pub(crate) use sign::{Sign, SignError};

/// Creates a section of `len` zeros in the system's paging file, which also reserves them: memory that
/// runs out is an error here. `None` if there is one of this name already.
fn create(name: Option<&[u16]>, len: u32, security: &Descriptor) -> Result<Option<OwnedHandle>, OsError> {
    let attributes = security.attributes();
    let name = name.map_or(null(), <[u16]>::as_ptr);
    let (none, access) = (INVALID_HANDLE_VALUE, PAGE_READWRITE);
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let handle = unsafe { CreateFileMappingW(none, &raw const attributes, access, 0, len, name) };
    // SAFETY: it reads a number of the calling thread.
    let code = unsafe { GetLastError() };
    if handle.is_null() {
        return Err(OsError::numbered("CreateFileMapping", code));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let handle = unsafe { own(handle) };
    Ok((code != ERROR_ALREADY_EXISTS).then_some(handle))
}

/// Opens a section by its name; `None` if there is none.
fn open(name: &[u16], read_only: bool) -> Result<Option<OwnedHandle>, OsError> {
    let write = if read_only { 0 } else { FILE_MAP_WRITE };
    // SAFETY: the name ends in a zero.
    let handle = unsafe { OpenFileMappingW(FILE_MAP_READ | write | READ_CONTROL, 0, name.as_ptr()) };
    if handle.is_null() {
        let error = OsError::last("OpenFileMapping");
        return if error.is(ERROR_FILE_NOT_FOUND) { Ok(None) } else { Err(error) };
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok(Some(unsafe { own(handle) }))
}

/// The name of a region's memory.
fn memory(space: Space, instance: u64) -> Vec<u16> {
    space.object(instance, "memory", 0)
}

/// Creates the memory of a region; with a name if it has a space. `None` if this very instance is
/// there already.
pub(crate) fn create_memory(
    space: Option<Space>,
    instance: u64,
    len: u32,
    security: &Descriptor,
) -> Result<Option<OwnedHandle>, OsError> {
    let name = space.map(|space| memory(space, instance));
    create(name.as_deref(), len, security)
}

/// Opens the memory of a region; `None` if nobody has it any more.
pub(crate) fn open_memory(
    space: Space,
    instance: u64,
    read_only: bool,
) -> Result<Option<OwnedHandle>, OsError> {
    open(&memory(space, instance), read_only)
}

/// A section of a file's whole content.
pub(crate) fn of_file(file: &File, options: &Options) -> Result<OwnedHandle, OsError> {
    let access = if options.map.read_only { PAGE_READONLY } else { PAGE_READWRITE };
    // SAFETY: the handle is open; neither attributes nor a name are given.
    let handle = unsafe { CreateFileMappingW(file.as_raw_handle(), null(), access, 0, 0, null()) };
    if handle.is_null() {
        return Err(OsError::last("CreateFileMapping"));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok(unsafe { own(handle) })
}
