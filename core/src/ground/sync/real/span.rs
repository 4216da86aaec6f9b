//! Checked ranges of a region's memory.

use core::ptr::NonNull;

use super::super::copy;
use super::crash_point;
use super::word::{Word, WordRef};

/// A checked range of a region's memory, of one that keeps the port beside it (M4).
#[derive(Clone)]
pub struct Span {
    pub(super) base: NonNull<u8>,
    pub(super) len: u32,
}

// SAFETY: all access through `Span` is atomic (M2).
unsafe impl Send for Span {}
// SAFETY: as above.
unsafe impl Sync for Span {}

impl Span {
    /// Bytes from which it matters in which order a payload is written.
    pub const LONG: usize = copy::LONG;

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

    /// Whether the range starts at a multiple of `align`.
    #[must_use]
    pub fn is_aligned(&self, align: usize) -> bool {
        align != 0 && self.base.as_ptr().addr().is_multiple_of(align)
    }

    #[inline(always)]
    fn at(&self, at: u32, len: usize) -> NonNull<u8> {
        let end = at as usize + len;
        assert!(end >= len && end <= self.len as usize, "an offset of our own is wrong");
        // SAFETY: `at + len <= self.len`, checked above (M1, M3).
        unsafe { self.base.add(at as usize) }
    }

    /// The word at `at`, or `None` if it is outside or unaligned.
    #[inline]
    #[must_use]
    pub fn word(&self, at: u32) -> Option<WordRef> {
        if at > self.len.checked_sub(4)? {
            return None;
        }
        let word = self.at(at, 4).cast::<Word>();
        word.is_aligned().then_some(WordRef(word))
    }

    /// The word at `at`, which the caller has aligned to 4 and kept inside.
    ///
    /// # Panics
    ///
    /// If it is outside or unaligned, which would be a fault of this crate.
    #[inline(always)]
    #[must_use]
    pub fn header(&self, at: u32) -> WordRef {
        let word = self.at(at, 4).cast::<Word>();
        assert!(word.is_aligned(), "an offset of our own is wrong");
        WordRef(word)
    }

    /// The word at `at`, unchecked.
    ///
    /// # Safety
    ///
    /// The address at `at` must be a multiple of 4, and 4 bytes there must be inside the span.
    #[inline(always)]
    #[must_use]
    pub unsafe fn word_within(&self, at: u32) -> WordRef {
        // SAFETY: inside, by the caller's promise.
        WordRef(unsafe { self.base.add(at as usize) }.cast())
    }

    /// As [`read`](Self::read), unchecked; with `aligned`, `at` is a multiple of 8 and the span starts at
    /// one.
    ///
    /// # Safety
    ///
    /// `into.len()` bytes at `at` must be inside the span, and aligned if `aligned` is set.
    #[inline(always)]
    pub unsafe fn read_within(&self, at: u32, into: &mut [u8], aligned: bool) {
        // SAFETY: inside, by the caller's promise.
        let from = unsafe { self.base.add(at as usize) };
        // SAFETY: valid for `into.len()` bytes, by the caller's promise.
        unsafe { copy::read(from.as_ptr(), into, aligned) };
    }

    /// As [`write`](Self::write), unchecked; `aligned` as for [`read_within`](Self::read_within).
    ///
    /// # Safety
    ///
    /// `from.len()` bytes at `at` must be inside the span, and aligned if `aligned` is set.
    #[inline(always)]
    pub unsafe fn write_within(&self, at: u32, from: &[u8], aligned: bool) {
        // SAFETY: inside, by the caller's promise.
        let into = unsafe { self.base.add(at as usize) };
        crash_point();
        // SAFETY: valid for `from.len()` bytes, by the caller's promise.
        unsafe { copy::write(into.as_ptr(), from, aligned) };
    }

    /// As [`read_within`](Self::read_within), for a few words, of a length that the compiler knows.
    ///
    /// # Safety
    ///
    /// As there; `at` and the length must be multiples of 8.
    #[inline(always)]
    pub unsafe fn read_few_within(&self, at: u32, into: &mut [u8]) {
        // SAFETY: inside, by the caller's promise.
        let from = unsafe { self.base.add(at as usize) };
        // SAFETY: valid for `into.len()` bytes and aligned, by the caller's promise.
        unsafe { copy::read_few(from.as_ptr(), into) };
    }

    /// As [`write_within`](Self::write_within), for a few words, of a length that the compiler knows.
    ///
    /// # Safety
    ///
    /// As there; `at` and the length must be multiples of 8.
    #[inline(always)]
    pub unsafe fn write_few_within(&self, at: u32, from: &[u8]) {
        // SAFETY: inside, by the caller's promise.
        let into = unsafe { self.base.add(at as usize) };
        crash_point();
        // SAFETY: valid for `from.len()` bytes and aligned, by the caller's promise.
        unsafe { copy::write_words(into.as_ptr(), from) };
    }

    /// Copies bytes that were handed over by a Release/Acquire pair out of the region.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    #[inline(always)]
    pub fn read(&self, at: u32, into: &mut [u8]) {
        let from = self.at(at, into.len());
        // SAFETY: `from` is valid for `into.len()` bytes, by the check in `at`.
        unsafe { copy::read(from.as_ptr(), into, false) };
    }

    /// Copies bytes into a part of the region that is the caller's until it is published.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    #[inline(always)]
    pub fn write(&self, at: u32, from: &[u8]) {
        let into = self.at(at, from.len());
        crash_point();
        // SAFETY: `into` is valid for `from.len()` bytes, by the check in `at`.
        unsafe { copy::write(into.as_ptr(), from, false) };
    }

    /// As [`read`](Self::read), for bytes that an honest peer may be writing at the same time. Reads
    /// whole words from `at` on, and past the end of `into` up to the next multiple of 8.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    ///
    /// # Safety
    ///
    /// `at` must be a multiple of 8, and the span must start at one.
    #[inline(always)]
    pub unsafe fn read_racing_within(&self, at: u32, into: &mut [u8]) {
        let from = self.at(at, into.len().next_multiple_of(8));
        // SAFETY: `from` is valid for as many bytes, by the check in `at`; and aligned, by the caller's promise.
        unsafe { copy::read_words(from.as_ptr(), into) };
    }

    /// As [`write`](Self::write), for bytes that an honest peer may be reading at the same time. Writes
    /// whole words from `at` on, with zeros up to the next multiple of 8.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    ///
    /// # Safety
    ///
    /// As for [`read_racing_within`](Self::read_racing_within).
    #[inline(always)]
    pub unsafe fn write_racing_within(&self, at: u32, from: &[u8]) {
        let into = self.at(at, from.len().next_multiple_of(8));
        crash_point();
        // SAFETY: as in `read_racing_within`.
        unsafe { copy::write_words(into.as_ptr(), from) };
    }

    /// The bytes at `at`, for callers that guarantee that all peers are honest.
    #[inline(always)]
    #[must_use]
    pub fn as_ptr(&self, at: u32, len: usize) -> NonNull<u8> {
        self.at(at, len)
    }
}
