//! Words, and handles on words of a region.

use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;

use super::super::cas;
use super::super::order::{Order, RELAXED};
use super::crash_point;

/// A shared 32-bit word: little-endian in memory, naturally aligned.
#[repr(transparent)]
pub struct Word(AtomicU32);

impl Word {
    /// A word of its own, outside any region.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    /// Loads the word.
    #[inline(always)]
    pub fn load(&self, order: Order) -> u32 {
        self.0.load(order.ordering)
    }

    /// Stores the word.
    #[inline(always)]
    pub fn store(&self, value: u32, order: Order) {
        crash_point();
        self.0.store(value, order.ordering);
    }

    /// Loads a word that another word publishes, as it publishes a payload.
    #[inline(always)]
    pub fn read_plain(&self) -> u32 {
        self.load(RELAXED)
    }

    /// Stores a word that another word publishes, as it publishes a payload.
    #[inline(always)]
    pub fn write_plain(&self, value: u32) {
        self.store(value, RELAXED);
    }

    /// Replaces `current` by `new`; returns the value found.
    ///
    /// # Errors
    ///
    /// The value found, if it was not `current`.
    #[inline]
    pub fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32> {
        crash_point();
        cas::compare_exchange(&self.0, current, new, order.ordering)
    }

    /// The word's address, for ports that hand it to a kernel.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u32 {
        self.0.as_ptr()
    }
}

/// A fence of the given order.
#[inline(always)]
pub fn fence(order: Order) {
    core::sync::atomic::fence(order.ordering);
}

/// Keeps stores in order across this point, for those who find the memory after its writer's end.
///
/// Between two stores that no peer tells apart, but the successor of a program does that ends in between. A
/// process that is killed has stored what it has executed; a core that is reset loses its store buffer, so the
/// machine has to keep the order too. That costs nothing where it does anyway, as on x86.
#[inline(always)]
pub fn in_order() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::Release);
}

/// A handle on one word of a region.
#[derive(Clone)]
pub struct WordRef(pub(super) NonNull<Word>);

// SAFETY: a `WordRef` is a shared reference to an atomic word (M1, M2).
unsafe impl Send for WordRef {}
// SAFETY: as above.
unsafe impl Sync for WordRef {}

impl From<&'static Word> for WordRef {
    /// A handle on a word that is never freed, and so outlives it.
    fn from(word: &'static Word) -> Self {
        Self(NonNull::from(word))
    }
}

impl Deref for WordRef {
    type Target = Word;

    #[inline(always)]
    fn deref(&self) -> &Word {
        // SAFETY: the pointer was made from a `'static` word; or by `Mem::word_ref` or `Span::word` from a
        // checked, aligned offset (M3) in memory that outlives the handle (M1, M4).
        unsafe { self.0.as_ref() }
    }
}
