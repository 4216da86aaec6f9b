//! A queue in a `static`, for one program: no header, no directory, no participants.

mod batch;

use crate::ground::sync::order::{RELAXED, lock, release};
use crate::ground::sync::{Cell, Word, const_fn};
use crate::protocol::static_queue::{self, Ring};

const PRODUCER: u32 = 1;
const CONSUMER: u32 = 2;

/// A queue of up to `N` values between two places of one program: threads, an interrupt and the main loop, two
/// cores.
///
/// Published by index. Twelve bytes more than its values, plus
/// alignment. A capacity that is a power of two makes for the shortest code. Head and tail are side by side, so on a machine with several cores they share a cache line;
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
/// A half is taken once, for good: one that is dropped is gone. But it can be given back, and the next one goes on
/// where it stopped:
///
/// ```
/// use strait_core::StaticQueue;
/// static TICKS: StaticQueue<u8, 6> = StaticQueue::new();
/// for tick in 0..6 {
///     let mut tx = TICKS.take_producer().unwrap();
///     tx.push(tick).unwrap();
///     tx.give_back();
/// }
/// let mut rx = TICKS.take_consumer().unwrap();
/// assert_eq!((rx.len(), rx.peek().copied(), rx.pop()), (6, Some(0), Some(0)));
/// ```
///
/// A queue without a slot does not compile:
///
/// ```compile_fail
/// static NONE: strait_core::StaticQueue<u16, 0> = strait_core::StaticQueue::new();
/// ```
///
/// How it works: the invariants are in `core/src/protocol/static_queue.rs`.
pub struct StaticQueue<T, const N: usize> {
    /// Position of the next value to be sent, modulo 2^32; written by the producer.
    tail: Word,
    /// Position of the next value to be received, modulo 2^32; written by the consumer.
    head: Word,
    /// Which halves are taken: one bit each, set until it is given back.
    taken: Word,
    /// The values; those from head to tail are there.
    slots: [Cell<T>; N],
}

impl<T: Send, const N: usize> StaticQueue<T, N> {
    const CAPACITY: u32 = {
        assert!(N > 0 && N <= 1 << 30, "the capacity must be 1 to 2^30");
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
    /// included. One compare-and-swap, and another whenever the other half is taken or given back meanwhile.
    pub fn take_producer(&self) -> Option<StaticProducer<'_, T, N>> {
        self.take(PRODUCER)?;
        // ORDERING: Relaxed; a word of this half, and taking it has synchronised with the last one who had it.
        let tail = self.tail.load(RELAXED);
        // ORDERING(release): the consumer is done with everything before its head.
        let limit = Self::RING.a_lap_after(self.head.load(release::LOAD));
        Some(StaticProducer { queue: self, tx: static_queue::Producer::new(tail, limit) })
    }

    /// Takes the receiving half; `None` if it is taken. As [`take_producer`](Self::take_producer).
    pub fn take_consumer(&self) -> Option<StaticConsumer<'_, T, N>> {
        self.take(CONSUMER)?;
        // ORDERING: Relaxed; as for the producer.
        let head = self.head.load(RELAXED);
        Some(StaticConsumer { queue: self, rx: static_queue::Consumer::new(head) })
    }

    /// The capacity.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    fn take(&self, half: u32) -> Option<()> {
        // ORDERING: Relaxed; the compare-and-swap decides.
        let mut seen = self.taken.load(RELAXED);
        while seen & half == 0 {
            // ORDERING(lock): what the last one did who had the half is ordered before giving it back.
            match self.taken.compare_exchange(seen, seen | half, lock::ACQUIRE) {
                Ok(_) => return Some(()),
                Err(found) => seen = found,
            }
        }
        None
    }
}

impl<T, const N: usize> StaticQueue<T, N> {
    const RING: Ring = Ring { capacity: N as u32 };

    /// The slot of a position: below N.
    #[inline(always)]
    fn slot(&self, position: u32) -> &Cell<T> {
        &self.slots[Self::RING.slot(position) as usize]
    }

    /// Gives a half back. One compare-and-swap, and another whenever the other half is taken or given back
    /// meanwhile.
    fn give_back(&self, half: u32) {
        // ORDERING: Relaxed; the compare-and-swap decides.
        let mut seen = self.taken.load(RELAXED);
        // ORDERING(lock): all that was done with the half is ordered before it.
        while let Err(found) = self.taken.compare_exchange(seen, seen & !half, lock::RELEASE) {
            seen = found;
        }
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
            drop(unsafe { self.slot(at).take() });
            at = Self::RING.after(at);
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
        let Some(position) = self.tx.free(&queue.head, StaticQueue::<T, N>::RING) else {
            return Err(value);
        };
        // SAFETY: the protocol gave this slot to the only producer (A1).
        unsafe { queue.slot(position).put(value) };
        self.tx.commit(position, &queue.tail, StaticQueue::<T, N>::RING);
        Ok(())
    }

    /// Whether there is no space now.
    #[inline]
    pub fn is_full(&mut self) -> bool {
        self.tx.free(&self.queue.head, StaticQueue::<T, N>::RING).is_none()
    }

    /// How many values there are now; the consumer may be taking some. One load.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tx.len(&self.queue.head, StaticQueue::<T, N>::RING) as usize
    }

    /// Gives the half back, for somebody else to [take](StaticQueue::take_producer). One compare-and-swap, and another
    /// whenever the other half is taken or given back meanwhile.
    pub fn give_back(self) {
        self.queue.give_back(PRODUCER);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        // SAFETY: the protocol gave this slot to the only consumer (A1), and it holds a value.
        let value = unsafe { queue.slot(position).take() };
        self.rx.release(position, &queue.head, StaticQueue::<T, N>::RING);
        Some(value)
    }

    /// The value that [`pop`](Self::pop) would receive next. One load.
    #[inline]
    pub fn peek(&mut self) -> Option<&mut T> {
        let position = self.rx.next(&self.queue.tail)?;
        let place = self.queue.slot(position).as_ptr();
        // SAFETY: the protocol gave this slot to the only consumer (A1), it holds a value, and that stays there
        // as long as this half is borrowed.
        Some(unsafe { &mut *place })
    }

    /// How many values there are now; the producer may be sending more. One load.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rx.len(&self.queue.tail, StaticQueue::<T, N>::RING) as usize
    }

    /// Gives the half back, for somebody else to [take](StaticQueue::take_consumer); as
    /// [`StaticProducer::give_back`]. What it has not received is the next one's.
    pub fn give_back(self) {
        self.queue.give_back(CONSUMER);
    }

    /// Whether nothing is there now.
    pub fn is_empty(&self) -> bool {
        self.rx.next(&self.queue.tail).is_none()
    }

    /// The capacity.
    #[must_use]
    pub fn capacity(&self) -> usize {
        N
    }
}
