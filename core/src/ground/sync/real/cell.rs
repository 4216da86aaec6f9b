//! Cells outside any region.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

/// A payload cell outside any region, for the queues within one program.
#[repr(transparent)]
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

    /// The first of the cells that memory has room for.
    #[must_use]
    pub fn over(memory: &mut [MaybeUninit<T>]) -> NonNull<Self> {
        // A cell is laid out as what it is made of.
        NonNull::from(memory).cast()
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

    /// Copies values into as many cells from `first` on.
    ///
    /// # Safety
    ///
    /// The cells are there, and the caller has them to itself.
    #[inline(always)]
    pub unsafe fn copy_in(first: NonNull<Self>, values: &[T])
    where
        T: Copy,
    {
        let into = first.cast::<T>().as_ptr();
        // SAFETY: the cells are there, side by side, and exclusive by the caller's promise, so `values` is elsewhere.
        unsafe { into.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }

    /// Copies values out of as many cells from `first` on.
    ///
    /// # Safety
    ///
    /// The cells are there and hold values, and the caller has them to itself.
    #[inline(always)]
    pub unsafe fn copy_out(first: NonNull<Self>, values: &mut [T])
    where
        T: Copy,
    {
        let from = first.cast::<T>().as_ptr();
        // SAFETY: the cells are there, side by side, and exclusive by the caller's promise, so `values` is elsewhere.
        unsafe { from.copy_to_nonoverlapping(values.as_mut_ptr(), values.len()) };
    }

    /// As many places of values from `first` on. To access them the caller must have the cells to itself.
    #[inline(always)]
    #[must_use]
    pub fn places(first: NonNull<Self>, len: usize) -> *mut [MaybeUninit<T>] {
        ptr::slice_from_raw_parts_mut(first.cast().as_ptr(), len)
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
