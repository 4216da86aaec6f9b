//! Shared mappings of a region's file.

use core::ffi::c_void;
use core::num::NonZeroUsize;
use core::ptr::NonNull;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, MsFlags, ProtFlags, mlock, mmap, mmap_anonymous, msync, munmap};
use strait_core::port::Mem;

use crate::error::{FromCall as _, OsError};
use crate::file::os::huge_page;
use crate::options::Options;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux::{next_data, prefault};

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
use fallback::{next_data, prefault};

/// Why a file could not be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The mapping itself.
    Map(OsError),
    /// Locking it into memory.
    Lock(OsError),
}

impl Failed {
    /// After `mlockall(MCL_FUTURE)` every mapping is locked, and `EAGAIN` says that it would pass the limit.
    fn new(call: &'static str, error: Errno) -> Self {
        match error {
            Errno::EAGAIN => Self::Lock(OsError::nix(FUTURE, error)),
            error => Self::Map(OsError::nix(call, error)),
        }
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
    Map(Failed),
    /// Anything else.
    Os(OsError),
}

impl From<Failed> for CopyFailed {
    fn from(failed: Failed) -> Self {
        Self::Map(failed)
    }
}

impl From<OsError> for CopyFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

/// A shared mapping of a whole file, or a private copy of it, unmapped when dropped.
///
/// # Invariants
///
/// - P1. `base` is the start of `mapped` bytes, readable, and writable unless the options said
///   read-only; they stay mapped until the value is dropped. Nobody else unmaps or remaps them.
/// - P2. `mapped` is `len`, or of a file in huge pages, which the kernel maps whole and unmaps in no other length,
///   the next multiple of such a page.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: u32,
    mapped: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and all access goes through `Mem`,
// which is atomic.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of `file`, which must have them; never zero.
    pub(crate) fn new(file: &File, len: u32, options: &Options) -> Result<Self, Failed> {
        let failed = |call| move |error| Failed::new(call, error);
        let size = NonZeroUsize::new(len as usize).ok_or(Errno::EINVAL).map_err(failed("mmap"))?;
        let mut access = ProtFlags::PROT_READ;
        if !options.read_only {
            access |= ProtFlags::PROT_WRITE;
        }
        // SAFETY: the kernel chooses a place that is free, so no memory of ours is replaced.
        let base = unsafe { mmap(None, size, access, MapFlags::MAP_SHARED, file, 0) };
        let base = base.map_err(failed("mmap"))?;
        let mapping = Self { base, len, mapped: whole_pages(file, len) };
        if options.prefault || options.lock {
            prefault(&mapping, options.read_only).map_err(failed("prefault"))?;
        }
        if options.lock {
            // SAFETY: the range is ours and mapped (P1). Unmapping it unlocks it.
            unsafe { mlock(mapping.base, mapping.mapped) }
                .map_err(|error| Failed::Lock(OsError::nix("mlock", error)))?;
        }
        Ok(mapping)
    }

    /// A private copy of the first `len` bytes of `file`, of which holes take no memory; never zero. Whoever may
    /// write to the file can cut it short under a shared mapping, whose next access is then `SIGBUS`; here they
    /// make it an error at the most.
    pub(crate) fn copy(file: &File, len: u32) -> Result<Self, CopyFailed> {
        let failed = |call| move |error| Failed::new(call, error);
        let size = NonZeroUsize::new(len as usize).ok_or(Errno::EINVAL).map_err(failed("mmap"))?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses a place that is free, so no memory of ours is replaced.
        let base = unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_PRIVATE) };
        let mapping = Self { base: base.map_err(failed("mmap"))?, len, mapped: len as usize };
        // SAFETY: the bytes are mapped and ours (P1), zeros, and nobody else knows them yet.
        let bytes =
            unsafe { core::slice::from_raw_parts_mut(mapping.base.cast::<u8>().as_ptr(), len as usize) };
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

    /// The mapped bytes. The caller keeps the mapping for as long as it uses them.
    pub(crate) fn mem(&self) -> Mem {
        // SAFETY: the bytes are mapped (P1) for as long as the caller may use them, page-aligned,
        // and accessed through `Mem` alone in this process. Where they are read-only the handle is
        // no participant, so only readers are made from it.
        unsafe { Mem::from_raw(self.base.cast(), self.len) }
    }

    /// Where the bytes are, and how many.
    pub(crate) fn range(&self) -> (NonNull<c_void>, usize) {
        (self.base, self.mapped)
    }

    /// Waits until the file's storage has what the memory has.
    pub(crate) fn sync(&self) -> Result<(), OsError> {
        // SAFETY: the range is ours and mapped (P1).
        unsafe { msync(self.base, self.len as usize, MsFlags::MS_SYNC) }
            .map_err(|error| OsError::nix("msync", error))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // Fails only for a range that is not mapped, or no whole pages, which this one is (P1, P2).
        // SAFETY: the range is ours and mapped (P1), and its users keep `self`.
        let _ = unsafe { munmap(self.base, self.mapped) };
    }
}

/// How many bytes the kernel maps of a file for `len` of them.
fn whole_pages(file: &File, len: u32) -> usize {
    let page = huge_page(file).and_then(|page| usize::try_from(page).ok()).unwrap_or(1);
    (len as usize).checked_next_multiple_of(page).unwrap_or(len as usize)
}

/// Looks at every page, so that each is in memory.
fn touch(mapping: &Mapping) {
    let mem = mapping.mem();
    for offset in (0..mapping.len).step_by(4096) {
        core::hint::black_box(mem.setup_read(offset));
    }
}
