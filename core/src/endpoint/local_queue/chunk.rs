//! Chunks of a [`LocalQueue`](super::LocalQueue): slots side by side, in which values are made and read in place.

use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut, Range};

use super::{LocalConsumer, LocalProducer};
use crate::ground::sync::Cell;

impl<'q, T: Send> LocalProducer<'q, T> {
    /// Free slots side by side, to make values in place: `wanted` at most, and fewer if no more are free or the ring
    /// ends. `None` if none is free. One load, if fewer were free at the last look.
    ///
    /// A capacity that is a multiple of `wanted` never ends within a chunk of that length.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use strait_core::LocalQueue;
    /// let mut memory = [const { MaybeUninit::uninit() }; 256];
    /// let mut queue = LocalQueue::new(&mut memory);
    /// let (mut tx, mut rx) = queue.split();
    /// let mut chunk = tx.chunk(64).unwrap();
    /// let filled = chunk.slots().iter_mut().enumerate().map(|(i, slot)| slot.write(i as u32)).count();
    /// // SAFETY: all of them were filled.
    /// unsafe { chunk.commit(filled) };
    /// let chunk = rx.chunk(64).unwrap();
    /// assert_eq!(chunk.iter().sum::<u32>(), 63 * 64 / 2);
    /// chunk.release(64);
    /// assert!(rx.chunk(64).is_none());
    /// ```
    #[inline]
    pub fn chunk(&mut self, wanted: usize) -> Option<WriteChunk<'_, 'q, T>> {
        let run = self.tx.run(wanted, self.shared.head());
        if run.is_empty() { None } else { Some(WriteChunk { producer: self, run }) }
    }
}

/// Free slots, in which values are made. Dropped, it sends nothing.
pub struct WriteChunk<'p, 'q, T: Send> {
    producer: &'p mut LocalProducer<'q, T>,
    /// The slots; from the producer's next one on.
    run: Range<usize>,
}

impl<T: Send> WriteChunk<'_, '_, T> {
    /// The slots.
    #[inline]
    pub fn slots(&mut self) -> &mut [MaybeUninit<T>] {
        // SAFETY: a slot of the producer's is below the capacity (L3).
        let first = unsafe { self.producer.shared.cells(self.run.start) };
        let places = Cell::places(first, self.run.len());
        // SAFETY: the slots are the producer's own (L3), and so this chunk's, which is borrowed.
        unsafe { &mut *places }
    }

    /// Sends the values in the first `count` slots. One store.
    ///
    /// # Panics
    ///
    /// If there are fewer slots.
    ///
    /// # Safety
    ///
    /// These slots have been filled.
    #[inline]
    pub unsafe fn commit(self, count: usize) {
        assert!(count <= self.run.len(), "a chunk of {} values has not {count}", self.run.len());
        self.producer.tx.advance(self.run.start + count);
        self.producer.tx.publish(self.producer.shared.tail());
    }
}

impl<'q, T: Send> LocalConsumer<'q, T> {
    /// Values side by side, to be read in place: `wanted` at most, and fewer if no more are there or the ring ends.
    /// `None` if none is there. One load, if fewer were there at the last look.
    #[inline]
    pub fn chunk(&mut self, wanted: usize) -> Option<ReadChunk<'_, 'q, T>> {
        let run = self.rx.run(wanted, self.shared.tail());
        if run.is_empty() { None } else { Some(ReadChunk { consumer: self, run }) }
    }
}

/// Values in their slots. Dropped, it leaves all of them in the queue.
pub struct ReadChunk<'c, 'q, T: Send> {
    consumer: &'c mut LocalConsumer<'q, T>,
    /// The slots; from the consumer's next one on.
    run: Range<usize>,
}

impl<T: Send> ReadChunk<'_, '_, T> {
    /// Drops the first `count` values, and gives their slots back. If one of them panics at that, they are given back
    /// all the same. One store.
    ///
    /// # Panics
    ///
    /// If there are fewer values.
    #[inline]
    pub fn release(mut self, count: usize) {
        assert!(count <= self.run.len(), "a chunk of {} values has not {count}", self.run.len());
        let values: *mut [T] = &raw mut self[..count];
        self.consumer.rx.advance(self.run.start + count);
        let _given_back = GivenBack(self.consumer);
        // SAFETY: the slots hold values, are the consumer's own until they are given back, and it has gone on.
        unsafe { values.drop_in_place() };
    }
}

/// Gives slots back when this is dropped.
struct GivenBack<'c, 'q, T: Send>(&'c mut LocalConsumer<'q, T>);

impl<T: Send> Drop for GivenBack<'_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.rx.release(self.0.shared.head());
    }
}

impl<T: Send> ReadChunk<'_, '_, T> {
    /// The values.
    #[inline]
    fn places(&self) -> *mut [T] {
        // SAFETY: a slot of the consumer's is below the capacity (L3).
        let first = unsafe { self.consumer.shared.cells(self.run.start) };
        Cell::places(first, self.run.len()) as *mut [T]
    }
}

impl<T: Send> Deref for ReadChunk<'_, '_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the slots hold values, and are the consumer's own (L3), and so this chunk's, which is borrowed.
        unsafe { &*self.places() }
    }
}

impl<T: Send> DerefMut for ReadChunk<'_, '_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the chunk is borrowed exclusively.
        unsafe { &mut *self.places() }
    }
}
