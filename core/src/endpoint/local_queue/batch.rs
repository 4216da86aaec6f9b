//! Batches of a [`LocalQueue`](super::LocalQueue): several values for one look at the other side at most, and one
//! publication.

use super::{LocalConsumer, LocalProducer};
use crate::ground::sync::Cell;

/// A batch goes on beyond the end of the ring once: before it and behind it.
const RUNS: usize = 2;

impl<T: Send> LocalProducer<'_, T> {
    /// Sends values until there are no more or there is no space; returns how many were sent. The iterator is asked
    /// for a value only when there is space for it. Two loads at most, and one store besides the values.
    ///
    /// The values appear together, when this returns. If the iterator panics, those before it have been sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use strait_core::LocalQueue;
    /// let mut memory = [const { MaybeUninit::uninit() }; 5];
    /// let mut queue = LocalQueue::new(&mut memory);
    /// let (mut tx, mut rx) = queue.split();
    /// let mut samples = 1..=6;
    /// assert_eq!(tx.push_batch(&mut samples), 5);
    /// assert_eq!(samples.next(), Some(6), "there was no space for it");
    /// let mut sum = 0;
    /// assert_eq!(rx.pop_batch(3, |sample| sum += sample), 3);
    /// assert_eq!((sum, rx.len()), (6, 2));
    /// ```
    #[inline]
    pub fn push_batch(&mut self, values: impl IntoIterator<Item = T>) -> usize {
        let mut values = values.into_iter();
        let mut batch = Pushed { count: 0, producer: self };
        for _ in 0..RUNS {
            if values.size_hint().1 == Some(0) || batch.run(&mut values).is_none() {
                break;
            }
        }
        batch.count
    }

    /// Copies values in until there are no more or there is no space; returns how many. As
    /// [`push_batch`](Self::push_batch).
    #[inline]
    pub fn push_slice(&mut self, values: &[T]) -> usize
    where
        T: Copy,
    {
        let mut count = 0;
        for _ in 0..RUNS {
            if count == values.len() {
                break;
            }
            let run = self.tx.run(values.len() - count, self.shared.head());
            if run.is_empty() {
                break;
            }
            // SAFETY: a slot of this half's is below the capacity (L3).
            let first = unsafe { self.shared.cells(run.start) };
            let next = count + run.len();
            // SAFETY: the slots of the run are this half's own, and free (L3).
            unsafe { Cell::copy_in(first, &values[count..next]) };
            self.tx.advance(run.end);
            count = next;
        }
        if count > 0 {
            self.tx.publish(self.shared.tail());
        }
        count
    }
}

/// Values that are in their slots; published when this is dropped, and so after a panic of the iterator too.
struct Pushed<'p, 'q, T: Send> {
    producer: &'p mut LocalProducer<'q, T>,
    count: usize,
}

impl<T: Send> Pushed<'_, '_, T> {
    /// Moves values into the free slots side by side; `None` if that was all of one of them.
    #[inline(always)]
    fn run(&mut self, values: &mut impl Iterator<Item = T>) -> Option<()> {
        let wanted = values.size_hint().1.unwrap_or(usize::MAX);
        let run = self.producer.tx.run(wanted, self.producer.shared.head());
        if run.is_empty() {
            return None;
        }
        let mut filled = Filled { start: run.start, at: run.start, batch: self };
        while filled.at < run.end {
            let value = values.next()?;
            // SAFETY: a slot of this half's is below the capacity (L3).
            let cell = unsafe { filled.batch.producer.shared.cell(filled.at) };
            // SAFETY: the slot is this half's own, and free (L3).
            unsafe { cell.put(value) };
            filled.at += 1;
        }
        Some(())
    }
}

/// The slots of a run that are filled, as a local number; counted when this is dropped.
struct Filled<'b, 'p, 'q, T: Send> {
    start: usize,
    at: usize,
    batch: &'b mut Pushed<'p, 'q, T>,
}

impl<T: Send> Drop for Filled<'_, '_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.batch.count += self.at - self.start;
        self.batch.producer.tx.advance(self.at);
    }
}

impl<T: Send> Drop for Pushed<'_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.count > 0 {
            self.producer.tx.publish(self.producer.shared.tail());
        }
    }
}

impl<T: Send> LocalConsumer<'_, T> {
    /// Passes up to `most` of the values that are there now to `each`, in order; returns how many there were. Their slots
    /// are given back together, when this returns. If `each` panics, the values up to that one have been received, and
    /// the others are still in the queue. Two loads at most, and one store at the end, besides the values.
    #[inline]
    pub fn pop_batch(&mut self, most: usize, mut each: impl FnMut(T)) -> usize {
        let mut batch = Popped { count: 0, consumer: self };
        for _ in 0..RUNS {
            if batch.count == most || batch.run(most, &mut each).is_none() {
                break;
            }
        }
        batch.count
    }

    /// Copies values out until `into` is full or there are no more; returns how many. As
    /// [`pop_batch`](Self::pop_batch).
    #[inline]
    pub fn pop_slice(&mut self, into: &mut [T]) -> usize
    where
        T: Copy,
    {
        let mut count = 0;
        for _ in 0..RUNS {
            if count == into.len() {
                break;
            }
            let run = self.rx.run(into.len() - count, self.shared.tail());
            if run.is_empty() {
                break;
            }
            // SAFETY: a slot of this half's is below the capacity (L3).
            let first = unsafe { self.shared.cells(run.start) };
            let next = count + run.len();
            // SAFETY: the slots of the run are this half's own, and hold values (L3).
            unsafe { Cell::copy_out(first, &mut into[count..next]) };
            self.rx.advance(run.end);
            count = next;
        }
        if count > 0 {
            self.rx.release(self.shared.head());
        }
        count
    }
}

/// Values that were taken out of their slots; these are given back when this is dropped, and so after a panic too.
struct Popped<'p, 'q, T: Send> {
    consumer: &'p mut LocalConsumer<'q, T>,
    count: usize,
}

impl<T: Send> Popped<'_, '_, T> {
    /// Takes the values side by side; `None` if there are none.
    #[inline(always)]
    fn run(&mut self, most: usize, each: &mut impl FnMut(T)) -> Option<()> {
        let run = self.consumer.rx.run(most - self.count, self.consumer.shared.tail());
        if run.is_empty() {
            return None;
        }
        let mut taken = Taken { start: run.start, at: run.start, batch: self };
        while taken.at < run.end {
            // SAFETY: a slot of this half's is below the capacity (L3).
            let cell = unsafe { taken.batch.consumer.shared.cell(taken.at) };
            // Before the value is passed on: if that panics, it has been received all the same.
            taken.at += 1;
            // SAFETY: the slot is this half's own and holds a value (L3), and the count has gone on.
            each(unsafe { cell.take() });
        }
        Some(())
    }
}

/// The slots of a run whose values were taken, as a local number; counted when this is dropped.
struct Taken<'b, 'c, 'q, T: Send> {
    start: usize,
    at: usize,
    batch: &'b mut Popped<'c, 'q, T>,
}

impl<T: Send> Drop for Taken<'_, '_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.batch.count += self.at - self.start;
        self.batch.consumer.rx.advance(self.at);
    }
}

impl<T: Send> Drop for Popped<'_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.count > 0 {
            self.consumer.rx.release(self.consumer.shared.head());
        }
    }
}
