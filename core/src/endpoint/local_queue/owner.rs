//! Whose a [`LocalQueue`](super::LocalQueue) and its memory are: somebody's who lends them, or the heap's.

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::{LocalQueue, heap};
use crate::ground::sync::Cell;

/// Keeps the queue of a half alive: borrows it, or owns it together with the other half.
pub(super) struct Owner<'q, T> {
    _shared: Option<heap::Shared<'q, T>>,
    _borrowed: PhantomData<&'q LocalQueue<'q, T>>,
}

impl<'q, T> Owner<'q, T> {
    /// Of a half that shares the ownership of its queue, or else borrows it.
    pub(super) fn new(shared: Option<heap::Shared<'q, T>>) -> Self {
        Self { _shared: shared, _borrowed: PhantomData }
    }
}

/// The cells of a queue, which are freed with this if they are of the heap.
pub(super) struct Memory<T> {
    pub(super) first: NonNull<Cell<T>>,
    pub(super) len: usize,
    pub(super) on_heap: bool,
}

impl<T> Drop for Memory<T> {
    fn drop(&mut self) {
        if self.on_heap {
            // SAFETY: the heap made as many cells from the first on, as one box, and this is its one end.
            unsafe { heap::free(self.first, self.len) };
        }
    }
}
