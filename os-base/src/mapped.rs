//! Memory that is mapped, and the region in it.

use core::ffi::c_void;
use core::fmt;
use core::ptr::NonNull;

use strait_core::format::{AttachError, Header};
use strait_core::port::Mem;

/// The smallest page of any system here.
const PAGE: usize = 4096;

/// Bytes that are mapped for as long as this value lives.
///
/// # Invariants
///
/// - P1. `base` is the start of `mapped` bytes, the first of which are those of `mem`, readable, and writable unless the mapping was asked for to
///   read alone; they stay mapped until the value is dropped. Nobody else unmaps or remaps them.
pub struct Mapped {
    base: NonNull<c_void>,
    mem: Mem,
    /// Bytes that are mapped: as many as `mem` has, or more where the system maps in larger units.
    mapped: usize,
    unmap: unsafe fn(NonNull<c_void>, usize),
}

// SAFETY: the mapping belongs to the process, not to a thread, and all access goes through `Mem`,
// which is atomic.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Takes a mapping of `mapped` bytes into possession, of which `len` are used. `unmap` is called with its start and
    /// `mapped` when it is dropped.
    ///
    /// # Safety
    ///
    /// P1 holds for the bytes at `base`, which start on a page and which this process accesses through `Mem`
    /// alone. Where they are read-only only readers are made from them. `unmap` may be called for them once.
    #[must_use]
    pub unsafe fn new(
        base: NonNull<c_void>,
        len: u32,
        mapped: usize,
        unmap: unsafe fn(NonNull<c_void>, usize),
    ) -> Self {
        // SAFETY: the caller's promise, as long as this value lives, which lends the handle (P1).
        let mem = unsafe { Mem::from_raw(base.cast(), len) };
        Self { base, mem, mapped, unmap }
    }

    /// The same mapping, of which now this many bytes are used.
    ///
    /// # Safety
    ///
    /// P1 holds for as many.
    #[must_use]
    pub unsafe fn resized(mut self, len: u32) -> Self {
        // SAFETY: the caller's promise; the rest as for `new`.
        self.mem = unsafe { Mem::from_raw(self.base.cast(), len) };
        self.mapped = self.mapped.max(len as usize);
        self
    }

    /// The mapped bytes.
    #[must_use]
    #[inline]
    pub fn mem(&self) -> &Mem {
        &self.mem
    }

    /// Where the bytes are.
    #[must_use]
    pub fn base(&self) -> NonNull<c_void> {
        self.base
    }

    /// How many they are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.mem.len() as usize
    }

    /// How many are mapped for them.
    #[must_use]
    pub fn mapped(&self) -> usize {
        self.mapped
    }

    /// Looks at every page, so that each is in memory.
    pub fn touch(&self) {
        for offset in (0..self.mem.len()).step_by(PAGE) {
            core::hint::black_box(self.mem.setup_read(offset));
        }
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {:?}", self.mem.len(), self.base)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the range is ours and mapped (P1), and its users keep `self`; the rest was promised to `new`.
        unsafe { (self.unmap)(self.base, self.mapped) };
    }
}

/// A region that is mapped, and whose header was found right.
#[derive(Debug)]
pub struct MappedRegion {
    map: Mapped,
    header: Header,
}

impl MappedRegion {
    /// Checks the header.
    ///
    /// # Errors
    ///
    /// Those of [`Header::check`]; the mapping ends then.
    pub fn check(map: Mapped) -> Result<Self, AttachError> {
        let header = Header::check(map.mem())?;
        Ok(Self { map, header })
    }

    /// The region's header, as it was checked.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The mapping.
    #[must_use]
    pub fn map(&self) -> &Mapped {
        &self.map
    }
}

/// A region that is mapped, and the tokens that this process holds in it.
#[derive(Debug)]
pub struct OpenRegion<T> {
    /// Dropped before the mapping, which they may rest on.
    tokens: T,
    region: MappedRegion,
}

impl<T> OpenRegion<T> {
    /// Both. `tokens` may rest on the mapping: this value drops them first.
    #[must_use]
    pub fn new(tokens: T, region: MappedRegion) -> Self {
        Self { tokens, region }
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> &T {
        &self.tokens
    }

    /// The region's memory.
    #[must_use]
    #[inline]
    pub fn mem(&self) -> &Mem {
        self.region.map.mem()
    }

    /// The region's header, as it was checked.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.region.header
    }

    /// The mapping.
    #[must_use]
    pub fn map(&self) -> &Mapped {
        &self.region.map
    }
}
