//! A model region's memory: a word for each four bytes, of which some are loom's.

extern crate std;

use core::sync::atomic::{AtomicU32 as Plain, Ordering};
use std::boxed::Box;
use std::vec::Vec;

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU32;

use super::super::order::Order;
use super::death::step;
use super::search::Loads;

/// The use of a word of a region.
#[derive(Clone, Copy, Default)]
pub(crate) struct Use {
    /// It is an atomic of loom's.
    pub shared: bool,
    /// It has a cell, by which loom sees plain accesses that race. A word that is shared as well is
    /// one where a commit word can be.
    pub plain: bool,
    /// An exchange of it that fails sees the newest value, as loom's do. So it is in regions: with older values too,
    /// models of locks would take many times as long. (And where time passes, a store is seen within a probe period.)
    pub prompt: bool,
}

/// A word of a model region, or of its own.
///
/// Its latest value is in memory unknown to loom; its [use](Use) decides how loom checks the accesses.
pub struct Word {
    value: Plain,
    /// In a place of its own: most words of a region have none.
    shared: Option<Box<Shared>>,
    cell: Option<UnsafeCell<()>>,
}

/// An atomic of loom's, all orders of whose accesses are tried.
struct Shared {
    word: AtomicU32,
    loads: Loads,
    /// See [`Use`].
    prompt: bool,
}

impl Shared {
    fn new(value: u32, prompt: bool) -> Self {
        Self { word: AtomicU32::new(value), loads: Loads::default(), prompt }
    }

    fn load(&self, ordering: Ordering) -> u32 {
        let me = self.loads.before_load();
        let value = self.word.load(ordering);
        self.loads.after_load(me);
        value
    }

    fn store(&self, value: u32, ordering: Ordering) {
        self.loads.before_store();
        self.word.store(value, ordering);
        self.loads.after_store();
    }

    /// An exchange that fails is a load, and may see an older value; loom's sees the newest alone. So a load
    /// comes first, and what it sees decides whether there is an exchange at all. (An exchange that succeeds sees
    /// the newest value, in loom as in the language.)
    fn compare_exchange(&self, current: u32, new: u32, ordering: Ordering) -> Result<u32, u32> {
        if !self.prompt {
            let seen = self.load(Ordering::Relaxed);
            if seen != current {
                return Err(seen);
            }
        }
        self.loads.before_store();
        let result = self.word.compare_exchange(current, new, ordering, Ordering::Relaxed);
        self.loads.after_store();
        result
    }
}

// SAFETY: the cell guards nothing (its content is `()`); it is there for loom to check accesses by.
unsafe impl Sync for Word {}
// SAFETY: as above.
unsafe impl Send for Word {}

impl Word {
    /// A shared word outside any region.
    #[must_use]
    pub fn new(value: u32) -> Self {
        Self::of(value, Use { shared: true, ..Use::default() })
    }

    pub(crate) fn of(value: u32, used: Use) -> Self {
        Self {
            value: Plain::new(value),
            shared: used.shared.then(|| Box::new(Shared::new(value, used.prompt))),
            cell: used.plain.then(|| UnsafeCell::new(())),
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
        if let Some(word) = &self.shared {
            word.store(value, order.resolve());
            // A commit word is cleared where a payload was: nobody may be reading that any more.
            self.check_write();
        }
        self.set_plain(value);
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
            Some(word) => word.compare_exchange(current, new, order.resolve()),
            None => self.value.compare_exchange(current, new, Ordering::Relaxed, Ordering::Relaxed),
        };
        if result.is_ok() {
            self.set_plain(new);
        }
        result
    }

    /// The address of the word's plain value; nobody outside the model looks there.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u32 {
        self.value.as_ptr()
    }

    pub(crate) fn kernel_load(&self) -> u32 {
        self.shared.as_ref().map_or_else(|| self.plain(), |word| word.load(Ordering::Relaxed))
    }

    /// As [`kernel_load`](Self::kernel_load), of the newest value whoever stored it: no lock that the waker holds too
    /// orders this behind its store.
    pub(crate) fn kernel_load_newest(&self) -> u32 {
        self.shared.as_ref().map_or_else(|| self.plain(), |word| word.word.fetch_or(0, Ordering::Relaxed))
    }

    pub(crate) fn plain(&self) -> u32 {
        self.value.load(Ordering::Relaxed)
    }

    pub(crate) fn set_plain(&self, value: u32) {
        self.value.store(value, Ordering::Relaxed);
    }

    fn check_read(&self) {
        if let Some(cell) = &self.cell {
            cell.with(|_| ());
        }
    }

    fn check_write(&self) {
        if let Some(cell) = &self.cell {
            cell.with_mut(|_| ());
        }
    }

    /// Reads plainly: loom sees a race with any plain write.
    pub fn read_plain(&self) -> u32 {
        self.check_read();
        self.plain()
    }

    /// Writes plainly. Where a payload covers what may be read as a commit word, it is stored there too:
    /// an old payload must never pass for a frame.
    pub fn write_plain(&self, value: u32) {
        if step() {
            self.write_alive(value);
        }
    }

    /// As [`write_plain`](Self::write_plain), by a thread that is known to live.
    pub(crate) fn write_alive(&self, value: u32) {
        if let Some(word) = &self.shared {
            word.store(value, Ordering::Relaxed);
        }
        self.check_write();
        self.set_plain(value);
    }
}

/// All words of a model region.
pub(crate) struct Words(pub Vec<Word>);

impl Words {
    /// Words of these values and uses.
    pub fn new(words: impl Iterator<Item = (u32, Use)>) -> Self {
        Self(words.map(|(value, used)| Word::of(value, used)).collect())
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
