//! Shared mappings of a region's section.

use core::ffi::c_void;
use core::ptr::NonNull;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};

use strait_core::ground::header::{HEADER_LEN, at};
use strait_os_base::{MapFailed, MapOptions, Mapped, OsError};
use windows_sys::Win32::Foundation::ERROR_ACCESS_DENIED;
use windows_sys::Win32::System::Memory::{
    FILE_MAP_READ, FILE_MAP_WRITE, FlushViewOfFile, GetProcessWorkingSetSizeEx, MEM_COMMIT,
    MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, SetProcessWorkingSetSizeEx,
    UnmapViewOfFile, VirtualLock, VirtualQuery,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::error::FromCall as _;

/// Bytes of a page.
const PAGE: usize = 4096;

/// A shared mapping of the first `len` bytes of a section, or of as many as the header in it states. No peer can
/// take them away: a section never shrinks, nor does a file while it is mapped. The mapping is there in fact: a
/// section that is shorter, or has holes, is refused.
pub(crate) fn shared(
    section: BorrowedHandle<'_>,
    len: Option<u32>,
    options: &MapOptions,
) -> Result<Mapped, MapFailed> {
    let access = if options.read_only { FILE_MAP_READ } else { FILE_MAP_READ | FILE_MAP_WRITE };
    // SAFETY: the handle is open, and the system chooses a place that is free.
    let view = unsafe { MapViewOfFile(section.as_raw_handle(), access, 0, 0, 0) };
    let base = NonNull::new(view.Value).ok_or_else(|| denied(OsError::last("MapViewOfFile")))?;
    // SAFETY: no byte of the view is used yet, and this is its one owner; `unmap` unmaps it, whatever its length.
    let mapping = unsafe { Mapped::new(base, 0, 0, unmap) };
    let found = committed(base).map_err(MapFailed::Os)?;
    let fits = |needed: u32| {
        if u64::from(needed) <= found { Ok(needed) } else { Err(MapFailed::TooShort { needed, found }) }
    };
    let first = fits(len.unwrap_or(HEADER_LEN))?;
    // SAFETY: as many bytes are mapped and committed, with the access that the options say.
    let mut mapping = unsafe { mapping.resized(first) };
    if len.is_none() {
        // Read once. Too little for a header is for the header's own check to refuse.
        let all = fits(mapping.mem().setup_read(at::TOTAL_LEN).max(HEADER_LEN))?;
        // SAFETY: as before.
        mapping = unsafe { mapping.resized(all) };
    }
    if options.prefault || options.lock {
        mapping.touch();
    }
    if options.lock {
        lock(&mapping).map_err(MapFailed::Lock)?;
    }
    Ok(mapping)
}

/// What the error of mapping means.
fn denied(error: OsError) -> MapFailed {
    if error.is(ERROR_ACCESS_DENIED) { MapFailed::NotPermitted } else { MapFailed::Os(error) }
}

/// How many bytes from the start of a view are committed.
fn committed(base: NonNull<c_void>) -> Result<u64, OsError> {
    let mut found = MEMORY_BASIC_INFORMATION::default();
    let size = size_of::<MEMORY_BASIC_INFORMATION>();
    // SAFETY: the address is only looked up, and the buffer as long as stated.
    if unsafe { VirtualQuery(base.as_ptr(), &raw mut found, size) } == 0 {
        return Err(OsError::last("VirtualQuery"));
    }
    Ok(if found.State == MEM_COMMIT { found.RegionSize as u64 } else { 0 })
}

/// Hands what the memory has to the file's storage.
pub(crate) fn sync(map: &Mapped) -> Result<(), OsError> {
    // SAFETY: the range is ours and mapped (P1).
    if unsafe { FlushViewOfFile(map.base().as_ptr(), map.size()) } == 0 {
        return Err(OsError::last("FlushViewOfFile"));
    }
    Ok(())
}

/// Locks every page. A process may lock no more than the least size of its working set, so that
/// is raised first.
fn lock(map: &Mapped) -> Result<(), OsError> {
    let len = map.size().next_multiple_of(PAGE);
    // SAFETY: it names this process, and cannot fail.
    let this = unsafe { GetCurrentProcess() };
    let (mut least, mut most, mut flags) = (0, 0, 0);
    // SAFETY: the pointers are locals'.
    if unsafe { GetProcessWorkingSetSizeEx(this, &raw mut least, &raw mut most, &raw mut flags) } == 0 {
        return Err(OsError::last("GetProcessWorkingSetSizeEx"));
    }
    let (least, most) = (least + len, most.max(least + 2 * len));
    // SAFETY: the call takes numbers alone.
    if unsafe { SetProcessWorkingSetSizeEx(this, least, most, flags) } == 0 {
        return Err(OsError::last("SetProcessWorkingSetSizeEx"));
    }
    // SAFETY: the range is ours and mapped (P1). Unmapping it unlocks it.
    if unsafe { VirtualLock(map.base().as_ptr(), map.size()) } == 0 {
        return Err(OsError::last("VirtualLock"));
    }
    Ok(())
}

/// # Safety
///
/// The view is mapped, and nobody uses it any more.
unsafe fn unmap(base: NonNull<c_void>, _len: usize) {
    let view = MEMORY_MAPPED_VIEW_ADDRESS { Value: base.as_ptr() };
    // SAFETY: the caller's promise.
    unsafe { UnmapViewOfFile(view) };
}
