//! A queue in a `static`, for one program: no header, no directory, no participants.

use crate::ground::sync::order::{RELAXED, role};
use crate::ground::sync::{Cell, Word, const_fn};
use crate::protocol::static_queue;

const PRODUCER: u32 = 1;
const CONSUMER: u32 = 2;

/// A queue of up to `N` values (a power of two) between two places of one program: threads, an
/// interrupt and the main loop, two cores.
///
/// Published by index. Twelve bytes more than its values, plus
/// alignment. Head and tail are side by side, so on a machine with several cores they share a cache line;
/// a region's queue keeps them on lines of their own.
///
/// # Examples
///
/// ```
/// use strait_core::StaticQueue;
/// static SAMPLES: StaticQueue<u16, 8> = StaticQueue::new();
/// // In the interrupt handler's set-up, and in the main loop's:
/// let mut tx = SAMPLES.take_producer().unwrap();
/// let mut rx = SAMPLES.take_consumer().unwrap();
/// tx.push(7).unwrap();
/// assert_eq!(rx.pop(), Some(7));
/// assert!(SAMPLES.take_producer().is_none());
/// ```
///
/// A capacity that is not a power of two does not compile:
///
/// ```compile_fail
/// static ODD: strait_core::StaticQueue<u16, 6> = strait_core::StaticQueue::new();
/// ```
///
/// How it works: the invariants are in `core/src/protocol/static_queue.rs`.
pub struct StaticQueue<T, const N: usize> {
    /// Position of the next value to be sent, modulo 2^32; written by the producer.
    tail: Word,
    /// Position of the next value to be received, modulo 2^32; written by the consumer.
    head: Word,
    /// Which halves are taken: one bit each, set when it is taken and never cleared.
    taken: Word,
    /// The values; those from head to tail are there.
    slots: [Cell<T>; N],
}

impl<T: Send, const N: usize> StaticQueue<T, N> {
    const CAPACITY: u32 = {
        assert!(N.is_power_of_two() && N <= 1 << 30, "the capacity must be a power of two");
        N as u32
    };

    const_fn! {
        /// An empty queue.
        #[must_use]
        pub const fn new() -> Self {
            let _ = Self::CAPACITY;
            Self {
                tail: Word::new(0),
                head: Word::new(0),
                taken: Word::new(0),
                slots: Cell::array(),
            }
        }
    }

    /// Takes the sending half; `None` if it is taken. Safe from anywhere, an interrupt handler
    /// included. At most three compare-and-swaps (two halves compete, no more).
    pub fn take_producer(&self) -> Option<StaticProducer<'_, T, N>> {
        self.take(PRODUCER)?;
        Some(StaticProducer { queue: self, tx: static_queue::Producer::new(Self::CAPACITY) })
    }

    /// Takes the receiving half; `None` if it is taken. As [`take_producer`](Self::take_producer).
    pub fn take_consumer(&self) -> Option<StaticConsumer<'_, T, N>> {
        self.take(CONSUMER)?;
        Some(StaticConsumer { queue: self, rx: static_queue::Consumer::default() })
    }

    fn take(&self, half: u32) -> Option<()> {
        // The other half's taking can make a round fail, once.
        for _ in 0..3 {
            // ORDERING: Relaxed; the compare-and-swap decides.
            let seen = self.taken.load(RELAXED);
            if seen & half != 0 {
                return None;
            }
            // ORDERING(role): nobody else has had the half, because it is taken once.
            if self.taken.compare_exchange(seen, seen | half, role::CAS).is_ok() {
                return Some(());
            }
        }
        None
    }
}

impl<T: Send, const N: usize> Default for StaticQueue<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> Drop for StaticQueue<T, N> {
    fn drop(&mut self) {
        // Both halves borrow the queue, so nobody has one.
        let head = self.head.load(RELAXED);
        let tail = self.tail.load(RELAXED);
        let mut at = head;
        while at != tail {
            // SAFETY: slots from head to tail hold values (A1), and nobody else is left.
            drop(unsafe { self.slots[at as usize & (N - 1)].take() });
            at = at.wrapping_add(1);
        }
    }
}

/// The sending half of a [`StaticQueue`].
pub struct StaticProducer<'q, T, const N: usize> {
    queue: &'q StaticQueue<T, N>,
    tx: static_queue::Producer,
}

impl<T: Send, const N: usize> StaticProducer<'_, T, N> {
    /// Sends a value: at most one load and one store besides the value itself. Gives the value back if
    /// the queue is full.
    ///
    /// # Errors
    ///
    /// The value, if there is no space.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        let queue = self.queue;
        let Some(position) = self.tx.free(&queue.head, StaticQueue::<T, N>::CAPACITY) else {
            return Err(value);
        };
        let index = position as usize & (N - 1);
        // SAFETY: the protocol gave this slot to the only producer (A1), and the index is below N.
        unsafe { queue.slots[index].put(value) };
        self.tx.commit(position, &queue.tail);
        Ok(())
    }

    /// Whether there is no space now.
    #[inline]
    pub fn is_full(&mut self) -> bool {
        self.tx.free(&self.queue.head, StaticQueue::<T, N>::CAPACITY).is_none()
    }

    /// The capacity.
    #[must_use]
    pub fn capacity(&self) -> usize {
        N
    }
}

/// The receiving half of a [`StaticQueue`].
pub struct StaticConsumer<'q, T, const N: usize> {
    queue: &'q StaticQueue<T, N>,
    rx: static_queue::Consumer,
}

impl<T: Send, const N: usize> StaticConsumer<'_, T, N> {
    /// Receives a value: one load and one store at most besides the value itself.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let queue = self.queue;
        let position = self.rx.next(&queue.tail)?;
        let index = position as usize & (N - 1);
        // SAFETY: the protocol gave this slot to the only consumer (A1), it holds a value, and the
        // index is below N.
        let value = unsafe { queue.slots[index].take() };
        self.rx.release(position, &queue.head);
        Some(value)
    }

    /// Whether nothing is there now.
    pub fn is_empty(&mut self) -> bool {
        self.rx.next(&self.queue.tail).is_none()
    }

    /// The capacity.
    #[must_use]
    pub fn capacity(&self) -> usize {
        N
    }
}
