//! Shared mappings of a region's file, and private copies of it.

use core::ffi::c_void;
use core::num::NonZeroUsize;
use core::ptr::NonNull;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, MsFlags, ProtFlags, mlock, mmap, mmap_anonymous, msync, munmap};
use strait_os_base::{MapFailed, MapOptions, Mapped, OsError};

use crate::file::os::huge_page;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux::{next_data, prefault};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use fallback::{next_data, prefault};

/// After `mlockall(MCL_FUTURE)` every mapping is locked, and `EAGAIN` says that it would pass the limit.
fn refused(call: &'static str, error: Errno) -> MapFailed {
    match error {
        Errno::EAGAIN => MapFailed::Lock(OsError::new(FUTURE, error as i32)),
        error => MapFailed::Os(OsError::new(call, error as i32)),
    }
}

/// The step that fails where a mapping would be locked and may not be.
const FUTURE: &str = "mmap after mlockall(MCL_FUTURE)";

/// Why a file could not be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyFailed {
    /// It is shorter by now.
    Short {
        /// Bytes.
        len: u64,
    },
    /// The memory for the copy.
    Map(MapFailed),
    /// Anything else.
    Os(OsError),
}

impl From<MapFailed> for CopyFailed {
    fn from(failed: MapFailed) -> Self {
        Self::Map(failed)
    }
}

impl From<OsError> for CopyFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

/// A shared mapping of the first `len` bytes of `file`, which must have them; never zero.
pub(crate) fn shared(file: &File, len: u32, options: &MapOptions) -> Result<Mapped, MapFailed> {
    window(file, 0, len, options)
}

/// A shared mapping of `len` bytes of `file`, never zero, from `offset` on, a multiple of the page.
pub(crate) fn window(file: &File, offset: u64, len: u32, options: &MapOptions) -> Result<Mapped, MapFailed> {
    let failed = |call| move |error| refused(call, error);
    let size = NonZeroUsize::new(len as usize).ok_or(Errno::EINVAL).map_err(failed("mmap"))?;
    let mut access = ProtFlags::PROT_READ;
    if !options.read_only {
        access |= ProtFlags::PROT_WRITE;
    }
    let offset = offset.try_into().map_err(|_| Errno::EOVERFLOW).map_err(failed("mmap"))?;
    // SAFETY: the kernel chooses a place that is free, so no memory of ours is replaced.
    let base = unsafe { mmap(None, size, access, MapFlags::MAP_SHARED, file, offset) };
    let base = base.map_err(failed("mmap"))?;
    // SAFETY: the range is mapped so, and this is its one owner; `munmap` unmaps it.
    let mapping = unsafe { Mapped::new(base, len, whole_pages(file, len), unmap) };
    if options.prefault || options.lock {
        prefault(&mapping, options.read_only).map_err(failed("prefault"))?;
    }
    if options.lock {
        // SAFETY: the range is ours and mapped (P1). Unmapping it unlocks it.
        unsafe { mlock(mapping.base(), mapping.mapped()) }
            .map_err(|error| MapFailed::Lock(OsError::new("mlock", error as i32)))?;
    }
    Ok(mapping)
}

/// A private copy of the first `len` bytes of `file`, of which holes take no memory; never zero. Whoever may
/// write to the file can cut it short under a shared mapping, whose next access is then `SIGBUS`; here they
/// make it an error at the most.
pub(crate) fn copy(file: &File, len: u32) -> Result<Mapped, CopyFailed> {
    let failed = |call| move |error| refused(call, error);
    let size = NonZeroUsize::new(len as usize).ok_or(Errno::EINVAL).map_err(failed("mmap"))?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses a place that is free, so no memory of ours is replaced.
    let base = unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_PRIVATE) };
    // SAFETY: the range is mapped so, and this is its one owner; `munmap` unmaps it.
    let mapping = unsafe { Mapped::new(base.map_err(failed("mmap"))?, len, len as usize, unmap) };
    let start = mapping.base().cast::<u8>().as_ptr();
    // SAFETY: the bytes are mapped and ours (P1), zeros, and nobody else knows them yet.
    let bytes = unsafe { core::slice::from_raw_parts_mut(start, mapping.size()) };
    let mut at = 0;
    while let Some(start) = next_data(file, at).filter(|&start| start < u64::from(len)) {
        match file.read_at(&mut bytes[start as usize..], start) {
            Ok(0) => return Err(CopyFailed::Short { len: start }),
            Ok(read) => at = start + read as u64,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(OsError::io("pread", &error).into()),
        }
    }
    Ok(mapping)
}

/// Waits until the file's storage has what the memory has.
pub(crate) fn sync(map: &Mapped) -> Result<(), OsError> {
    // SAFETY: the range is ours and mapped (P1).
    unsafe { msync(map.base(), map.size(), MsFlags::MS_SYNC) }
        .map_err(|error| OsError::new("msync", error as i32))
}

/// # Safety
///
/// The range is mapped, and nobody uses it any more.
unsafe fn unmap(base: NonNull<c_void>, len: usize) {
    // Fails only for a range that is not mapped, or no whole pages, which this one is.
    // SAFETY: the caller's promise.
    let _ = unsafe { munmap(base, len) };
}

/// How many bytes the kernel maps of a file for `len` of them: a file in huge pages is mapped whole, and unmapped in no
/// other length.
fn whole_pages(file: &File, len: u32) -> usize {
    let page = huge_page(file).and_then(|page| usize::try_from(page).ok()).unwrap_or(1);
    (len as usize).checked_next_multiple_of(page).unwrap_or(len as usize)
}
