//! Queues in memory of the heap.

extern crate alloc;

use alloc::{boxed::Box, sync::Arc};
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::owner::Owner;
use super::{Ends, LocalConsumer, LocalProducer, LocalQueue, halves};
use crate::ground::sync::Cell;

impl<T: Send> LocalQueue<'static, T> {
    /// An empty queue of up to so many values, in memory of the heap.
    ///
    /// # Panics
    ///
    /// If they are more than 2^30.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let laps = Self::laps(capacity);
        let cells: Box<[Cell<T>]> = (0..capacity).map(|_| Cell::new()).collect();
        let slots = NonNull::from(Box::leak(cells)).cast();
        Self { ends: Ends::new(), slots, laps, on_heap: true, memory: PhantomData }
    }
}

impl<'m, T: Send> LocalQueue<'m, T> {
    /// Makes the queue into its halves, which own it together. The last one that ends drops what was not received.
    #[must_use]
    pub fn into_halves(self) -> (LocalProducer<'m, T>, LocalConsumer<'m, T>) {
        let shared = Arc::new(self);
        // SAFETY: each half keeps the queue, which does not move; it was just made into them, so there are no others.
        unsafe { halves::pair(&shared, || Owner::new(Some(shared.clone()))) }
    }
}
