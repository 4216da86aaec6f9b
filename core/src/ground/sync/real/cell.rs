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

    /// Borrows the value where it is.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself for as long as it borrows, and it holds a value.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the caller has the cell to itself")]
    pub unsafe fn get_mut(&self) -> &mut T {
        // SAFETY: the pointer is valid, and exclusive by the caller's promise.
        let value = unsafe { &mut *self.0.get() };
        // SAFETY: the caller promises that it was put there.
        unsafe { value.assume_init_mut() }
    }
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}
