//! The names that there are in a namespace.

use core::ptr::{null, null_mut};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use strait_os_base::OsError;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{NtOpenDirectoryObject, NtQueryDirectoryObject};
use windows_sys::Win32::Foundation::{
    RtlNtStatusToDosError, STATUS_MORE_ENTRIES, STATUS_NO_MORE_ENTRIES, UNICODE_STRING,
};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;

use crate::error::FromCall as _;
use crate::name::{PREFIX, Space};
use crate::security::own;
use crate::wide::wide;

/// The right to ask for what is in a directory.
const DIRECTORY_QUERY: u32 = 1;

/// Where an entry's name and kind are.
#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    name: UNICODE_STRING,
    kind: UNICODE_STRING,
}

/// How often the entries are read at the most, where names come and go without end.
const READINGS: u32 = 32;

/// The names of the signs in a namespace: of all that were there all the time, and maybe of some that came or went.
///
/// An entry is asked for by its number, and one that goes away counts those behind it down: the next one is left out
/// then. So the entries are read until two readings in a row are the same: what went away during the first would have
/// been in it and not in the second. Until then each reading adds what those before have left out.
pub(crate) fn names(space: Space) -> Result<Vec<String>, OsError> {
    let directory = open(&wide(path(space)?))?;
    let (mut before, mut seen) = (Vec::new(), BTreeSet::new());
    for _ in 0..READINGS {
        let found = entries(&directory)?;
        if found == before {
            break;
        }
        seen.extend(found.iter().cloned());
        before = found;
    }
    let signs = seen.iter().filter(|(_, kind)| kind == "Section");
    Ok(signs.filter_map(|(name, _)| name.strip_prefix(PREFIX).map(String::from)).collect())
}

/// The name and the kind of each entry of a directory, by one reading.
fn entries(directory: &OwnedHandle) -> Result<Vec<(String, String)>, OsError> {
    let mut entries = Vec::new();
    let mut context = 0;
    let mut buffer = vec![0_u64; 1 << 10];
    loop {
        let (at, len) = (buffer.as_mut_ptr().cast(), (buffer.len() * 8) as u32);
        let raw = directory.as_raw_handle();
        // SAFETY: the handle is open, the buffer aligned and as long as stated, the context ours.
        let status =
            unsafe { NtQueryDirectoryObject(raw, at, len, true, false, &raw mut context, null_mut()) };
        match status {
            STATUS_NO_MORE_ENTRIES => return Ok(entries),
            0 | STATUS_MORE_ENTRIES => {}
            other => return Err(failed("NtQueryDirectoryObject", other)),
        }
        // SAFETY: the call put one entry at the start of the buffer.
        let entry = unsafe { *buffer.as_ptr().cast::<Entry>() };
        // SAFETY: the entry's strings are inside the buffer, which has not changed.
        let name = unsafe { text(&entry.name) };
        // SAFETY: as above.
        let kind = unsafe { text(&entry.kind) };
        entries.push((name, kind));
    }
}

/// Where the system keeps a namespace.
fn path(space: Space) -> Result<String, OsError> {
    let mut session = 0;
    // SAFETY: the pointer is a local's.
    if unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) } == 0 {
        return Err(OsError::last("ProcessIdToSessionId"));
    }
    Ok(match space {
        Space::Local if session != 0 => format!("\\Sessions\\{session}\\BaseNamedObjects"),
        _ => "\\BaseNamedObjects".into(),
    })
}

fn open(path: &[u16]) -> Result<OwnedHandle, OsError> {
    let bytes = 2 * (path.len() - 1) as u16;
    let name = UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: path.as_ptr().cast_mut() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: null_mut(),
        ObjectName: &raw const name,
        Attributes: 0,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    };
    let mut handle = null_mut();
    // SAFETY: the name and the attributes live until the call is over; it changes neither.
    match unsafe { NtOpenDirectoryObject(&raw mut handle, DIRECTORY_QUERY, &raw const attributes) } {
        // SAFETY: the call made the handle, and nobody else knows it.
        0 => Ok(unsafe { own(handle) }),
        status => Err(failed("NtOpenDirectoryObject", status)),
    }
}

/// # Safety
///
/// The string must be readable.
unsafe fn text(string: &UNICODE_STRING) -> String {
    if string.Buffer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    let units = unsafe { core::slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2)) };
    OsString::from_wide(units).to_string_lossy().into_owned()
}

fn failed(call: &'static str, status: i32) -> OsError {
    // SAFETY: it turns one number into another.
    OsError::numbered(call, unsafe { RtlNtStatusToDosError(status) })
}
