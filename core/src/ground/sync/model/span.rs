//! Checked ranges of a model region's memory.

extern crate std;

use core::ptr::NonNull;
use std::sync::Arc;

use super::death::step;
use super::memory::{Word, Words};
use super::shim::{At, WordRef};

/// A checked range of a region's memory.
#[derive(Clone)]
pub struct Span {
    pub(super) words: Arc<Words>,
    pub(super) base: u32,
    pub(super) len: u32,
}

impl Span {
    /// As everywhere else.
    pub const LONG: usize = 256;

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

    /// Whether the range starts at a multiple of `align`, as the region does.
    #[must_use]
    pub fn is_aligned(&self, align: usize) -> bool {
        align != 0 && (self.base as usize).is_multiple_of(align)
    }

    fn at(&self, at: u32, len: usize) -> u32 {
        assert!(at as usize + len <= self.len as usize, "an offset of our own is wrong");
        self.base + at
    }

    /// The word at `at`, or `None` if it is outside or unaligned.
    #[must_use]
    pub fn word(&self, at: u32) -> Option<WordRef> {
        if at > self.len.checked_sub(4)? || !(self.base + at).is_multiple_of(4) {
            return None;
        }
        Some(self.header(at))
    }

    /// The word at `at`.
    ///
    /// # Panics
    ///
    /// If it is outside, which would be a fault of this crate.
    #[must_use]
    pub fn header(&self, at: u32) -> WordRef {
        WordRef(At::Region { words: self.words.clone(), index: self.at(at, 4) as usize / 4 })
    }

    /// The word at `at`; checked here as anywhere in a model.
    ///
    /// # Panics
    ///
    /// If it is outside.
    ///
    /// # Safety
    ///
    /// None needed in a model; as in the real backend for the one signature.
    #[must_use]
    pub unsafe fn word_within(&self, at: u32) -> WordRef {
        self.header(at)
    }

    /// [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the read races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn read_within(&self, at: u32, into: &mut [u8], _aligned: bool) {
        self.read(at, into);
    }

    /// [`write`](Self::write).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the write races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn write_within(&self, at: u32, from: &[u8], _aligned: bool) {
        self.write(at, from);
    }

    /// [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the read races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn read_few_within(&self, at: u32, into: &mut [u8]) {
        self.read(at, into);
    }

    /// [`write`](Self::write).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the write races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn write_few_within(&self, at: u32, from: &[u8]) {
        self.write(at, from);
    }

    /// Reads payload that was handed over. A race with its writer fails the model.
    ///
    /// # Panics
    ///
    /// If the range is outside, or the read races.
    pub fn read(&self, at: u32, into: &mut [u8]) {
        self.copy_out(at, into, |word| word.read_plain());
    }

    /// Writes payload that is the caller's. A race with anyone fails the model.
    ///
    /// # Panics
    ///
    /// If the range is outside, or the write races.
    pub fn write(&self, at: u32, from: &[u8]) {
        let base = self.at(at, from.len());
        let last = from.len().saturating_sub(1) / 4 * 4;
        let mut alive = true;
        self.words.touch(base, from.len(), |word, part, offset| {
            // Death comes before the first word, or between the first and the last.
            if offset == 0 || offset >= last {
                alive = step();
            }
            if !alive {
                return;
            }
            let mut bytes = word.plain().to_le_bytes();
            let count = part.len();
            bytes[part].copy_from_slice(&from[offset..offset + count]);
            word.write_alive(u32::from_le_bytes(bytes));
        });
    }

    /// Reads bytes that an honest peer may be writing at the same time, a word at a time.
    ///
    /// # Panics
    ///
    /// If the range is outside.
    pub fn read_racing(&self, at: u32, into: &mut [u8]) {
        self.copy_out(at, into, |word| word.load(super::super::order::RELAXED));
    }

    /// Writes bytes that an honest peer may be reading at the same time, a word at a time.
    ///
    /// # Panics
    ///
    /// If the range is outside.
    pub fn write_racing(&self, at: u32, from: &[u8]) {
        let base = self.at(at, from.len());
        self.words.touch(base, from.len(), |word, part, offset| {
            let mut bytes = word.plain().to_le_bytes();
            let count = part.len();
            bytes[part].copy_from_slice(&from[offset..offset + count]);
            word.store(u32::from_le_bytes(bytes), super::super::order::RELAXED);
        });
    }

    /// [`read_racing`](Self::read_racing).
    ///
    /// # Panics
    ///
    /// If the range is outside.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn read_racing_within(&self, at: u32, into: &mut [u8]) {
        self.read_racing(at, into);
    }

    /// [`write_racing`](Self::write_racing).
    ///
    /// # Panics
    ///
    /// If the range is outside.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn write_racing_within(&self, at: u32, from: &[u8]) {
        self.write_racing(at, from);
    }

    fn copy_out(&self, at: u32, into: &mut [u8], read: impl Fn(&Word) -> u32) {
        let base = self.at(at, into.len());
        self.words.touch(base, into.len(), |word, part, offset| {
            let count = part.len();
            into[offset..offset + count].copy_from_slice(&read(word).to_le_bytes()[part]);
        });
    }

    /// Not available in a model; see [`HAS_SLICES`].
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub fn as_ptr(&self, _at: u32, _len: usize) -> NonNull<u8> {
        panic!("a model region has no slices")
    }
}
