//! A model region's memory: a word for each four bytes, of which some are loom's.

extern crate std;

use std::vec::Vec;

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU32;
use portable_atomic::{AtomicU32 as Plain, Ordering};

use super::super::order::Order;
use super::death::step;

/// A word of a model region, or of its own.
///
/// A *shared* word is an atomic of loom's. Any other keeps its value in plain memory and has a cell
/// by which loom sees races: header and payload.
pub struct Word {
    value: Plain,
    shared: Option<AtomicU32>,
    cell: UnsafeCell<()>,
}

// SAFETY: the cell guards nothing (its content is `()`); it is there for loom to check accesses by.
unsafe impl Sync for Word {}
// SAFETY: as above.
unsafe impl Send for Word {}

impl Word {
    /// A shared word outside any region.
    #[must_use]
    pub fn new(value: u32) -> Self {
        Self::of(value, true)
    }

    pub(super) fn of(value: u32, shared: bool) -> Self {
        Self {
            value: Plain::new(value),
            shared: shared.then(|| AtomicU32::new(value)),
            cell: UnsafeCell::new(()),
        }
    }

    /// Loads the word.
    pub fn load(&self, order: Order) -> u32 {
        if !step() {
            return 0;
        }
        match &self.shared {
            Some(word) => word.load(order.resolve()),
            None => self.value.load(Ordering::Relaxed),
        }
    }

    /// Stores the word.
    pub fn store(&self, value: u32, order: Order) {
        if !step() {
            return;
        }
        self.value.store(value, Ordering::Relaxed);
        if let Some(word) = &self.shared {
            word.store(value, order.resolve());
        }
    }

    /// Replaces `current` by `new`.
    ///
    /// # Errors
    ///
    /// The value found, if it was not `current`.
    pub fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32> {
        if !step() {
            return Err(!current);
        }
        let result = match &self.shared {
            Some(word) => word.compare_exchange(current, new, order.resolve(), Ordering::Relaxed),
            None => self.value.compare_exchange(current, new, Ordering::Relaxed, Ordering::Relaxed),
        };
        if result.is_ok() {
            self.value.store(new, Ordering::Relaxed);
        }
        result
    }

    /// The address of the word's plain value; nobody outside the model looks there.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u32 {
        self.value.as_ptr()
    }

    pub(super) fn kernel_load(&self) -> u32 {
        self.shared.as_ref().map_or_else(|| self.plain(), |word| word.load(Ordering::Relaxed))
    }

    pub(super) fn plain(&self) -> u32 {
        self.value.load(Ordering::Relaxed)
    }

    pub(super) fn set_plain(&self, value: u32) {
        self.value.store(value, Ordering::Relaxed);
    }

    /// Reads payload: loom sees a race with any write of payload.
    pub(super) fn read_payload(&self) -> u32 {
        self.cell.with(|_| ());
        self.plain()
    }

    /// Writes payload. Where a frame's payload comes to lie on what may be read as a commit word,
    /// it is stored there too: an old payload must never pass for a frame.
    pub(super) fn write_payload(&self, value: u32) {
        self.cell.with_mut(|_| ());
        self.set_plain(value);
        if let Some(word) = &self.shared {
            word.store(value, Ordering::Relaxed);
        }
    }
}

/// All words of a model region.
pub(super) struct Words(pub Vec<Word>);

impl Words {
    /// Words of these values, shared where `is_shared` says so of their offset.
    pub fn new(values: impl Iterator<Item = u32>, is_shared: impl Fn(u32) -> bool) -> Self {
        Self(values.enumerate().map(|(i, value)| Word::of(value, is_shared(4 * i as u32))).collect())
    }

    /// Applies `each` to every word that the range touches, with the part of the range in it.
    pub fn touch(&self, at: u32, len: usize, mut each: impl FnMut(&Word, core::ops::Range<usize>, usize)) {
        let (start, end) = (at as usize, at as usize + len);
        for index in start / 4..end.div_ceil(4) {
            let from = start.max(index * 4);
            let to = end.min(index * 4 + 4);
            each(&self.0[index], from - index * 4..to - index * 4, from - start);
        }
    }
}
