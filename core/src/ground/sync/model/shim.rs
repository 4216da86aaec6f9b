//! The model's side of the sync shim: the names and signatures of the real backend.

extern crate std;

use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::NonNull;
use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::super::order::Order;
pub use super::control::used_orderings;
use super::death::step;
pub use super::memory::Word;
use super::memory::Words;
pub use super::span::Span;

/// A fence of the given order.
pub fn fence(order: Order) {
    if step() && !order.is_weakened() {
        loom::sync::atomic::fence(order.ordering);
    }
}

/// Nothing here: in a model, what the dead have stored is there by the proof of their death, in their order. A real
/// fence would only hide that a named ordering beside it is missing.
pub fn in_order() {}

/// Lets others run.
pub fn spin_loop() {
    loom::thread::yield_now();
}

/// How often to look before anything else: once is as good as often, where all orders are tried.
#[must_use]
pub fn spins(_asked: u32) -> u32 {
    0
}

/// Slices of a model region do not exist.
pub const HAS_SLICES: bool = false;

/// A handle on one word of a region.
#[derive(Clone)]
pub struct WordRef(pub(super) At);

#[derive(Clone)]
pub(super) enum At {
    Region { words: Arc<Words>, index: usize },
    Outside(&'static Word),
}

impl From<&'static Word> for WordRef {
    /// A handle on a word that is never freed, and so outlives it.
    fn from(word: &'static Word) -> Self {
        Self(At::Outside(word))
    }
}

impl Deref for WordRef {
    type Target = Word;

    fn deref(&self) -> &Word {
        match &self.0 {
            At::Region { words, index } => &words.0[*index],
            At::Outside(word) => word,
        }
    }
}

/// A model region's memory.
#[derive(Clone)]
pub struct Mem(pub(crate) Arc<Words>);

impl Mem {
    /// The alignment that every region needs at least.
    pub const ALIGN: usize = 8;

    /// Not available in a model.
    ///
    /// # Panics
    ///
    /// Always.
    ///
    /// # Safety
    ///
    /// As in the real backend.
    #[must_use]
    pub unsafe fn from_raw(_base: NonNull<u8>, _len: u32) -> Self {
        panic!("raw memory cannot be model-checked; use strait::model::Region")
    }

    /// A second handle on the same memory.
    ///
    /// # Safety
    ///
    /// None needed in a model; as in the real backend for the one signature.
    #[must_use]
    pub unsafe fn share(&self) -> Self {
        self.clone()
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.0.len() as u32 * 4
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the memory starts at a multiple of `align`: there is no address to check.
    #[must_use]
    pub fn is_aligned(&self, _align: usize) -> bool {
        true
    }

    /// The word at `offset`, or `None` if it is outside or unaligned.
    #[must_use]
    pub fn word(&self, offset: u32) -> Option<&Word> {
        if offset.is_multiple_of(4) { self.0.0.get(offset as usize / 4) } else { None }
    }

    /// As [`word`](Self::word), counted: a model's memory is.
    #[must_use]
    pub fn word_ref(&self, offset: u32) -> Option<WordRef> {
        self.range(offset, 4)?.word(0)
    }

    /// The `len` bytes at `offset`, or `None` if they are not all inside.
    #[must_use]
    pub fn span(&self, offset: u32, len: u32) -> Option<Span> {
        self.range(offset, len)
    }

    /// [`span`](Self::span).
    #[must_use]
    pub(crate) fn range(&self, offset: u32, len: u32) -> Option<Span> {
        let end = offset.checked_add(len)?;
        (end <= self.len()).then(|| Span { words: self.0.clone(), base: offset, len })
    }

    /// Reads a word that is written once, before the region is published. In a region that was
    /// made [unformatted](crate::model::Region::unformatted), a race with its writer fails the model.
    #[must_use]
    pub fn setup_read(&self, offset: u32) -> u32 {
        self.word(offset).map_or(0, |word| word.read_plain())
    }

    /// Writes a word before the region is published. Races as in [`setup_read`](Self::setup_read).
    pub fn setup_write(&self, offset: u32, value: u32) {
        if let Some(word) = self.word(offset) {
            word.write_plain(value);
        }
    }
}

/// A payload cell outside any region.
pub struct Cell<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: as in the real backend; loom checks every access.
unsafe impl<T: Send> Sync for Cell<T> {}
// SAFETY: a cell is a place for a `T`.
unsafe impl<T: Send> Send for Cell<T> {}

impl<T> Cell<T> {
    /// An empty cell.
    #[must_use]
    pub fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// An array of empty cells.
    #[must_use]
    pub fn array<const N: usize>() -> [Self; N] {
        core::array::from_fn(|_| Self::new())
    }

    /// Not available in a model.
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub fn over(_memory: &mut [MaybeUninit<T>]) -> NonNull<Self> {
        panic!("raw memory cannot be model-checked; use a queue that makes its own")
    }

    /// Moves a value in.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself; loom fails the model if not.
    pub unsafe fn put(&self, value: T) {
        if step() {
            self.0.with_mut(|place| {
                // SAFETY: the pointer is loom's, valid and checked to be exclusive.
                unsafe { place.write(MaybeUninit::new(value)) };
            });
        }
    }

    /// Moves the value out.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself, and it holds a value.
    pub unsafe fn take(&self) -> T {
        self.0.with_mut(|place| {
            // SAFETY: the pointer is loom's, valid and checked to be exclusive.
            let value = unsafe { place.read() };
            // SAFETY: the caller promises that it was put there.
            unsafe { value.assume_init() }
        })
    }

    /// Copies values into as many cells from `first` on.
    ///
    /// # Safety
    ///
    /// The cells are there, and the caller has them to itself; loom fails the model if not.
    pub unsafe fn copy_in(first: NonNull<Self>, values: &[T])
    where
        T: Copy,
    {
        for (at, value) in values.iter().enumerate() {
            // SAFETY: the cell is there.
            let cell = unsafe { first.add(at) };
            // SAFETY: as before; it is only ever used through shared references.
            let cell = unsafe { cell.as_ref() };
            // SAFETY: the caller's promise.
            unsafe { cell.put(*value) };
        }
    }

    /// Copies values out of as many cells from `first` on.
    ///
    /// # Safety
    ///
    /// The cells are there and hold values, and the caller has them to itself; loom fails the model if not.
    pub unsafe fn copy_out(first: NonNull<Self>, values: &mut [T])
    where
        T: Copy,
    {
        for (at, value) in values.iter_mut().enumerate() {
            // SAFETY: the cell is there.
            let cell = unsafe { first.add(at) };
            // SAFETY: as before; it is only ever used through shared references.
            let cell = unsafe { cell.as_ref() };
            // SAFETY: the caller's promise.
            *value = unsafe { cell.take() };
        }
    }

    /// Not available in a model.
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub fn places(_first: NonNull<Self>, _len: usize) -> *mut [MaybeUninit<T>] {
        panic!("slices of a queue cannot be model-checked; use its values")
    }

    /// The place of the value, which may be there or not. The checker sees this as an access that needs the cell to
    /// itself, and sees none through the pointer.
    #[must_use]
    pub fn as_ptr(&self) -> *mut T {
        self.0.with_mut(|place| place.cast())
    }
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A `const fn` where the backend allows it: here it does not.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis fn $($rest)*
    };
}
pub(crate) use const_fn;
