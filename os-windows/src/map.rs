//! Shared mappings of a region's section.

use core::ffi::c_void;
use core::ptr::NonNull;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};

use strait_core::ground::header::{HEADER_LEN, at};
use strait_core::port::Mem;
use windows_sys::Win32::System::Memory::{
    FILE_MAP_READ, FILE_MAP_WRITE, FlushViewOfFile, GetProcessWorkingSetSizeEx, MEM_COMMIT,
    MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, SetProcessWorkingSetSizeEx,
    UnmapViewOfFile, VirtualLock, VirtualQuery,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::error::{FromCall as _, OsError};
use crate::options::Options;

/// Bytes of a page.
const PAGE: usize = 4096;

/// Why a section could not be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The mapping itself.
    Map(OsError),
    /// Locking it into memory.
    Lock(OsError),
    /// The section is shorter than its header states, or has pages that are only reserved.
    TooShort { needed: u32, found: u64 },
}

/// A shared mapping of a region, unmapped when dropped.
///
/// # Invariants
///
/// - P1. `base` is the start of `len` mapped and committed bytes, readable, and writable unless the
///   options said read-only; they stay mapped until the value is dropped. Nobody else unmaps them.
///   (No peer can take them away either: a section never shrinks, nor does a file while it is
///   mapped.)
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: u32,
}

// SAFETY: the mapping belongs to the process, not to a thread, and all access goes through `Mem`,
// which is atomic.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of a section, or as many as the header in it states. The mapping
    /// is there in fact: a section that is shorter, or has holes, is refused.
    pub(crate) fn new(
        section: BorrowedHandle<'_>,
        len: Option<u32>,
        options: &Options,
    ) -> Result<Self, Failed> {
        let access = if options.read_only { FILE_MAP_READ } else { FILE_MAP_READ | FILE_MAP_WRITE };
        // SAFETY: the handle is open, and the system chooses a place that is free.
        let view = unsafe { MapViewOfFile(section.as_raw_handle(), access, 0, 0, 0) };
        let base = NonNull::new(view.Value).ok_or_else(|| Failed::Map(OsError::last("MapViewOfFile")))?;
        let mut mapping = Self { base, len: 0 };
        let found = mapping.committed().map_err(Failed::Map)?;
        let fits = |needed: u32| {
            if u64::from(needed) <= found { Ok(needed) } else { Err(Failed::TooShort { needed, found }) }
        };
        mapping.len = fits(len.unwrap_or(HEADER_LEN))?;
        if len.is_none() {
            // Read once. Too little for a header is for the header's own check to refuse.
            mapping.len = fits(mapping.mem().setup_read(at::TOTAL_LEN).max(HEADER_LEN))?;
        }
        if options.prefault || options.lock {
            mapping.touch();
        }
        if options.lock {
            mapping.lock().map_err(Failed::Lock)?;
        }
        Ok(mapping)
    }

    /// How many bytes from the start are committed.
    fn committed(&self) -> Result<u64, OsError> {
        let mut found = MEMORY_BASIC_INFORMATION::default();
        let size = size_of::<MEMORY_BASIC_INFORMATION>();
        // SAFETY: the address is mapped, and the buffer as long as stated.
        if unsafe { VirtualQuery(self.base.as_ptr(), &raw mut found, size) } == 0 {
            return Err(OsError::last("VirtualQuery"));
        }
        Ok(if found.State == MEM_COMMIT { found.RegionSize as u64 } else { 0 })
    }

    /// Where the bytes are.
    pub(crate) fn base(&self) -> NonNull<c_void> {
        self.base
    }

    /// The mapped bytes. The caller keeps the mapping for as long as it uses them.
    pub(crate) fn mem(&self) -> Mem {
        // SAFETY: the bytes are mapped (P1) for as long as the caller may use them, page-aligned,
        // and accessed through `Mem` alone in this process. Where they are read-only the handle is
        // no participant, so only readers are made from it.
        unsafe { Mem::from_raw(self.base.cast(), self.len) }
    }

    /// Hands what the memory has to the file's storage.
    pub(crate) fn sync(&self) -> Result<(), OsError> {
        // SAFETY: the range is ours and mapped (P1).
        if unsafe { FlushViewOfFile(self.base.as_ptr(), self.len as usize) } == 0 {
            return Err(OsError::last("FlushViewOfFile"));
        }
        Ok(())
    }

    /// Looks at every page, so that each is in memory.
    fn touch(&self) {
        let mem = self.mem();
        for offset in (0..self.len).step_by(PAGE) {
            core::hint::black_box(mem.setup_read(offset));
        }
    }

    /// Locks every page. A process may lock no more than the least size of its working set, so that
    /// is raised first.
    fn lock(&self) -> Result<(), OsError> {
        let len = (self.len as usize).next_multiple_of(PAGE);
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
        if unsafe { VirtualLock(self.base.as_ptr(), self.len as usize) } == 0 {
            return Err(OsError::last("VirtualLock"));
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let view = MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.as_ptr() };
        // SAFETY: the view is ours and mapped (P1), and its users keep `self`.
        unsafe { UnmapViewOfFile(view) };
    }
}
