//! The heap: how halves own a queue together, and how its memory is freed.

extern crate alloc;

use alloc::{boxed::Box, sync::Arc};
use core::ptr::NonNull;

use super::LocalQueue;
use crate::ground::sync::Cell;

/// A queue that its halves own together.
pub(super) type Shared<'q, T> = Arc<LocalQueue<'q, T>>;

/// Frees the cells of a queue.
///
/// # Safety
///
/// They were made as one box of this length, and nobody uses them any more.
pub(super) unsafe fn free<T>(first: NonNull<Cell<T>>, len: usize) {
    let cells = NonNull::slice_from_raw_parts(first, len);
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(cells.as_ptr()) });
}
