//! A region's memory.

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::super::order::RELAXED;
use super::span::Span;
use super::word::{Word, WordRef};

/// A region's memory.
///
/// What is reached through it cannot outlive it, and safe code cannot have a second one:
///
/// ```compile_fail,E0597
/// # use strait_core::{Channel, Plan, StaticRegion, port::{NoSystem, Port}};
/// # const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).line(4).participants(2);
/// let word = {
///     let region = Box::new(StaticRegion::<{ PLAN.size() }>::new());
///     let attachment = region.create(&PLAN, 1, &NoSystem).unwrap();
///     attachment.port().mem().word(0)
/// };
/// word.unwrap();
/// ```
///
/// ```compile_fail,E0277
/// fn is_clone<T: Clone>() {}
/// is_clone::<strait_core::port::Mem>();
/// ```
pub struct Mem {
    base: NonNull<u8>,
    len: u32,
}

// SAFETY: all access through `Mem` is atomic (M2).
unsafe impl Send for Mem {}
// SAFETY: as above.
unsafe impl Sync for Mem {}

impl Mem {
    /// The alignment that every region needs at least.
    pub const ALIGN: usize = 8;

    /// Takes `len` bytes at `base` as a region's memory.
    ///
    /// # Safety
    ///
    /// The bytes must be valid for reads and writes for as long as
    /// the handle or anything made from it is used (for reads alone, if only readers are made from
    /// it), and until then this program may access them only atomically.
    #[must_use]
    pub const unsafe fn from_raw(base: NonNull<u8>, len: u32) -> Self {
        Self { base, len }
    }

    /// A second handle on the same memory, for a clone of a port.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw): the memory must stay valid for as long as the new handle is used too.
    #[must_use]
    pub const unsafe fn share(&self) -> Self {
        Self { base: self.base, len: self.len }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the memory starts at a multiple of `align`.
    #[must_use]
    pub fn is_aligned(&self, align: usize) -> bool {
        align != 0 && self.base.as_ptr().addr().is_multiple_of(align)
    }

    /// The word at `offset`, or `None` if it is outside or unaligned.
    #[must_use]
    pub fn word(&self, offset: u32) -> Option<&Word> {
        let word = self.word_ref(offset)?;
        // SAFETY: aligned and inside (M3), and valid while `self` is borrowed (M1).
        Some(unsafe { word.0.as_ref() })
    }

    /// The `len` bytes at `offset`, or `None` if they are not all inside.
    #[must_use]
    pub fn span(&self, offset: u32, len: u32) -> Option<Part<'_>> {
        Some(Part { span: self.range(offset, len)?, mem: PhantomData })
    }

    /// As [`word`](Self::word), for one that keeps the port (M4).
    #[must_use]
    pub(crate) fn word_ref(&self, offset: u32) -> Option<WordRef> {
        self.range(offset, 4)?.word(0)
    }

    /// As [`span`](Self::span), for one that keeps the port (M4).
    #[must_use]
    pub(crate) fn range(&self, offset: u32, len: u32) -> Option<Span> {
        let end = offset.checked_add(len)?;
        if end > self.len {
            return None;
        }
        // SAFETY: `offset <= len`, so the pointer stays within the memory or at its end (M1, M3).
        let base = unsafe { self.base.add(offset as usize) };
        Some(Span { base, len })
    }

    /// Reads a word that is written once, before the region is published.
    #[must_use]
    pub fn setup_read(&self, offset: u32) -> u32 {
        self.word(offset).map_or(0, |word| word.load(RELAXED))
    }

    /// Writes a word before the region is published.
    pub fn setup_write(&self, offset: u32, value: u32) {
        if let Some(word) = self.word(offset) {
            word.store(value, RELAXED);
        }
    }
}

/// A checked range of a region's memory, which borrows it.
pub struct Part<'m> {
    span: Span,
    mem: PhantomData<&'m Mem>,
}

impl Part<'_> {
    /// Copies bytes from `at` on out of the region.
    ///
    /// # Panics
    ///
    /// If they are not all inside the range.
    pub fn read(&self, at: u32, into: &mut [u8]) {
        self.span.read(at, into);
    }

    /// Copies bytes into the region, from `at` on.
    ///
    /// # Panics
    ///
    /// If they are not all inside the range.
    pub fn write(&self, at: u32, from: &[u8]) {
        self.span.write(at, from);
    }

    /// The address of the `len` bytes at `at`.
    ///
    /// # Panics
    ///
    /// If they are not all inside the range.
    #[must_use]
    pub fn as_ptr(&self, at: u32, len: usize) -> NonNull<u8> {
        self.span.as_ptr(at, len)
    }
}
