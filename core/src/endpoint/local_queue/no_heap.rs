//! No heap: no queue is in its memory.

use core::convert::Infallible;
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::LocalQueue;
use crate::ground::sync::Cell;

/// There is none.
pub(super) struct Shared<'q, T>(Infallible, PhantomData<LocalQueue<'q, T>>);

/// Never called.
///
/// # Safety
///
/// None needed.
pub(super) unsafe fn free<T>(_first: NonNull<Cell<T>>, _len: usize) {}
