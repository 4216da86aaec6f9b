//! Cells outside any region.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

/// A payload cell outside any region, for the stand-alone queue.
pub struct Cell<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: a cell is only a place; the protocol decides which side may access it when, and its methods are
// unsafe for that reason. The values cross threads, hence `T: Send`.
unsafe impl<T: Send> Sync for Cell<T> {}

impl<T> Cell<T> {
    /// An empty cell.
    #[must_use]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// An array of empty cells.
    #[must_use]
    pub const fn array<const N: usize>() -> [Self; N] {
        [const { Self::new() }; N]
    }

    /// Moves a value in.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself.
    #[inline(always)]
    pub unsafe fn put(&self, value: T) {
        // SAFETY: the pointer is valid, and exclusive by the caller's promise.
        unsafe { self.0.get().write(MaybeUninit::new(value)) };
    }

    /// Moves the value out.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself, and it holds a value.
    #[inline(always)]
    pub unsafe fn take(&self) -> T {
        // SAFETY: the pointer is valid, and exclusive by the caller's promise.
        let value = unsafe { self.0.get().read() };
        // SAFETY: the caller promises that it was put there.
        unsafe { value.assume_init() }
    }

    /// The place of the value, which may be there or not. To access it the caller must have the cell to itself.
    #[inline(always)]
    #[must_use]
    pub fn as_ptr(&self) -> *mut T {
        self.0.get().cast()
    }
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}
