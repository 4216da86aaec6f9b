//! Batches of a [`StaticQueue`]: several values for one look at the other side and one publication.

use super::{StaticConsumer, StaticProducer, StaticQueue};

impl<T: Send, const N: usize> StaticProducer<'_, T, N> {
    /// Sends values until there are no more or there is no space; returns how many were sent. The iterator is asked
    /// for a value only when there is space for it. One load and one store besides the values.
    ///
    /// The values appear together, when this returns. If the iterator panics, those before it have been sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::StaticQueue;
    /// static SAMPLES: StaticQueue<u16, 4> = StaticQueue::new();
    /// let (mut tx, mut rx) = (SAMPLES.take_producer().unwrap(), SAMPLES.take_consumer().unwrap());
    /// let mut samples = 1..=6;
    /// assert_eq!(tx.push_batch(&mut samples), 4);
    /// assert_eq!(samples.next(), Some(5), "there was no space for it");
    /// let mut sum = 0;
    /// assert_eq!(rx.pop_batch(3, |sample| sum += sample), 3);
    /// assert_eq!((sum, rx.len()), (6, 1));
    /// ```
    pub fn push_batch(&mut self, values: impl IntoIterator<Item = T>) -> usize {
        let room = self.tx.room(&self.queue.head, StaticQueue::<T, N>::RING);
        let mut batch = Pushed { position: self.tx.position(), count: 0, producer: self };
        for value in values.into_iter().take(room as usize) {
            // SAFETY: the protocol gave as many slots as there is room to the only producer (A1).
            unsafe { batch.producer.queue.slot(batch.position).put(value) };
            batch.position = StaticQueue::<T, N>::RING.after(batch.position);
            batch.count += 1;
        }
        batch.count
    }
}

/// Values that are in their slots; published when this is dropped, and so after a panic of the iterator too.
struct Pushed<'p, 'q, T: Send, const N: usize> {
    producer: &'p mut StaticProducer<'q, T, N>,
    /// Behind the last value.
    position: u32,
    count: usize,
}

impl<T: Send, const N: usize> Drop for Pushed<'_, '_, T, N> {
    fn drop(&mut self) {
        if self.count > 0 {
            self.producer.tx.commit_to(self.position, &self.producer.queue.tail);
        }
    }
}

impl<T: Send, const N: usize> StaticConsumer<'_, T, N> {
    /// Passes up to `most` of the values that are there now to `each`, in order; returns how many there were. Their slots
    /// are given back together, when this returns. If `each` panics, the values up to that one have been received, and
    /// the others are still in the queue. One load, and one store at the end, besides the values.
    pub fn pop_batch(&mut self, most: usize, mut each: impl FnMut(T)) -> usize {
        let there = self.rx.len(&self.queue.tail, StaticQueue::<T, N>::RING);
        let most = u32::try_from(most).map_or(there, |most| most.min(there));
        let mut batch = Popped { position: self.rx.position(), consumer: self };
        for _ in 0..most {
            let at = batch.position;
            batch.position = StaticQueue::<T, N>::RING.after(at);
            // SAFETY: the protocol gave the slots up to the tail to the only consumer (A1), and this one is passed once.
            each(unsafe { batch.consumer.queue.slot(at).take() });
        }
        most as usize
    }
}

/// Values that were taken out of their slots; these are given back when this is dropped, and so after a panic too.
struct Popped<'p, 'q, T: Send, const N: usize> {
    consumer: &'p mut StaticConsumer<'q, T, N>,
    /// Behind the last value.
    position: u32,
}

impl<T: Send, const N: usize> Drop for Popped<'_, '_, T, N> {
    fn drop(&mut self) {
        self.consumer.rx.release_to(self.position, &self.consumer.queue.head);
    }
}
