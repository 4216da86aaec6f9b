//! The two halves of a [`LocalQueue`]: values one at a time.

use core::ptr::NonNull;

use super::owner::Owner;
use super::{Ends, LocalQueue};
use crate::ground::sync::order::{RELAXED, publish, release};
use crate::ground::sync::{Cell, Word};
use crate::protocol::local_queue;

/// Of a half that has left.
const LEFT: u32 = 1;

/// The two halves of a queue.
///
/// # Safety
///
/// The queue has no other halves, and stays where it is as long as one of what `owner` makes is there.
pub(super) unsafe fn pair<'q, T>(
    queue: &LocalQueue<'_, T>,
    owner: impl Fn() -> Owner<'q, T>,
) -> (LocalProducer<'q, T>, LocalConsumer<'q, T>) {
    let shared = || Shared { ends: NonNull::from(&queue.ends), slots: queue.slots, _owner: owner() };
    // ORDERING: Relaxed; no half is there that could write them.
    let tail = queue.ends.tail.0.position.load(RELAXED);
    let head = queue.ends.head.0.position.load(RELAXED);
    (
        LocalProducer { tx: local_queue::Producer::new(queue.laps, tail), shared: shared() },
        LocalConsumer { rx: local_queue::Consumer::new(queue.laps, head), shared: shared() },
    )
}

/// The queue of a half.
pub(super) struct Shared<'q, T> {
    ends: NonNull<Ends>,
    slots: NonNull<Cell<T>>,
    _owner: Owner<'q, T>,
}

impl<T> Shared<'_, T> {
    #[inline(always)]
    fn ends(&self) -> &Ends {
        // SAFETY: the owner keeps the queue where it is.
        unsafe { self.ends.as_ref() }
    }

    /// The producer's word.
    #[inline(always)]
    pub(super) fn tail(&self) -> &Word {
        &self.ends().tail.0.position
    }

    /// The consumer's word.
    #[inline(always)]
    pub(super) fn head(&self) -> &Word {
        &self.ends().head.0.position
    }

    /// The cells from this index on.
    ///
    /// # Safety
    ///
    /// The index is at most the capacity.
    #[inline(always)]
    pub(super) unsafe fn cells(&self, index: usize) -> NonNull<Cell<T>> {
        // SAFETY: the owner keeps as many cells as the capacity.
        unsafe { self.slots.add(index) }
    }

    /// The cell of this index.
    ///
    /// # Safety
    ///
    /// The index is below the capacity.
    #[inline(always)]
    pub(super) unsafe fn cell(&self, index: usize) -> &Cell<T> {
        // SAFETY: the caller's promise.
        let cell = unsafe { self.cells(index) };
        // SAFETY: the owner keeps as many cells as the capacity.
        unsafe { cell.as_ref() }
    }
}

/// The sending half of a [`LocalQueue`].
pub struct LocalProducer<'q, T> {
    pub(super) tx: local_queue::Producer,
    pub(super) shared: Shared<'q, T>,
}

// SAFETY: what the halves share are atomic words, and cells whose values may go to other threads; the protocol says
// which half may access which cell (L3).
unsafe impl<T: Send> Send for LocalProducer<'_, T> {}

impl<T: Send> LocalProducer<'_, T> {
    /// Sends a value: one store besides the value itself, and one load if all that was free at the last look is used
    /// up. Gives the value back if the queue is full.
    ///
    /// # Errors
    ///
    /// The value, if there is no space.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        let Some(at) = self.tx.free(self.shared.head()) else { return Err(value) };
        // SAFETY: a slot of this half's is below the capacity (L3).
        let cell = unsafe { self.shared.cell(at) };
        // SAFETY: the slot is this half's own, and free (L3).
        unsafe { cell.put(value) };
        self.tx.advance(at + 1);
        self.tx.publish(self.shared.tail());
        Ok(())
    }

    /// Whether there is no space now. What is free stays so, as nobody else sends.
    #[inline]
    pub fn is_full(&mut self) -> bool {
        self.tx.free(self.shared.head()).is_none()
    }

    /// How many values there are now; the consumer may be taking some. One load.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tx.len(self.shared.head())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The capacity.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.tx.capacity()
    }

    /// Whether the consumer was dropped. Once it is so it stays so, unless the queue is split again. One load.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        // ORDERING(release): all that it has taken was taken before it left.
        self.shared.ends().head.0.left.load(release::LOAD) == LEFT
    }
}

impl<T> Drop for LocalProducer<'_, T> {
    fn drop(&mut self) {
        // ORDERING(publish): all that was sent is there before it has left.
        self.shared.ends().tail.0.left.store(LEFT, publish::STORE);
    }
}

/// The receiving half of a [`LocalQueue`].
pub struct LocalConsumer<'q, T> {
    pub(super) rx: local_queue::Consumer,
    pub(super) shared: Shared<'q, T>,
}

// SAFETY: as for the producer.
unsafe impl<T: Send> Send for LocalConsumer<'_, T> {}

impl<T: Send> LocalConsumer<'_, T> {
    /// Receives a value: one store besides the value itself, and one load if all that was there at the last look is
    /// received.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let at = self.rx.next(self.shared.tail())?;
        // SAFETY: a slot of this half's is below the capacity (L3).
        let cell = unsafe { self.shared.cell(at) };
        // SAFETY: the slot is this half's own, and holds a value (L3).
        let value = unsafe { cell.take() };
        self.rx.advance(at + 1);
        self.rx.release(self.shared.head());
        Some(value)
    }

    /// The value that [`pop`](Self::pop) would receive next.
    #[inline]
    pub fn peek(&mut self) -> Option<&mut T> {
        let at = self.rx.next(self.shared.tail())?;
        // SAFETY: a slot of this half's is below the capacity (L3).
        let place = unsafe { self.shared.cell(at) }.as_ptr();
        // SAFETY: the slot is this half's own and holds a value (L3), which stays there as long as the half is borrowed.
        Some(unsafe { &mut *place })
    }

    /// Whether nothing is there now. One load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values there are now; the producer may be sending more. One load.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rx.len(self.shared.tail())
    }

    /// The capacity.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.rx.capacity()
    }

    /// Whether the producer was dropped: then all that it has sent is there. Once it is so it stays so, unless the
    /// queue is split again. One load.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        // ORDERING(publish): all that it has sent was sent before it left.
        self.shared.ends().tail.0.left.load(publish::LOAD) == LEFT
    }
}

impl<T> Drop for LocalConsumer<'_, T> {
    fn drop(&mut self) {
        // ORDERING(release): all that was taken is taken before it has left.
        self.shared.ends().head.0.left.store(LEFT, release::STORE);
    }
}
