//! A queue in ordinary memory, for two threads of one program: no region, its capacity chosen at run time.

mod batch;
mod chunk;
mod halves;
#[cfg(feature = "alloc")]
mod heap;
#[cfg(feature = "alloc")]
mod on_heap;
mod owner;

#[cfg(not(feature = "alloc"))]
#[path = "local_queue/no_heap.rs"]
mod heap;

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::ground::sync::order::RELAXED;
use crate::ground::sync::{Cell, Line, Word};
use crate::protocol::local_queue::{Laps, MOST};

pub use chunk::{ReadChunk, WriteChunk};
pub use halves::{LocalConsumer, LocalProducer};

/// A queue of values between two threads of one program, whose capacity is chosen at run time.
///
/// Any capacity will do, and all of it is used. Head and tail are on cache lines of their own, and each half looks at
/// the other's only when what it saw last is used up. A value is moved in and out, or made and read
/// [in place](LocalProducer::chunk). Nothing blocks, no operation takes a locked instruction or a fence, and each takes
/// a number of steps that does not depend on the other half.
///
/// Both halves trust each other, as they are one program. Between processes use a region's queue; in a `static`, or
/// where memory is scarce, a [`StaticQueue`](crate::StaticQueue).
///
/// # Examples
///
/// In memory of the caller's, the halves borrow the queue:
///
/// ```
/// use core::mem::MaybeUninit;
/// use strait_core::LocalQueue;
/// let mut memory = [const { MaybeUninit::uninit() }; 100];
/// let mut queue = LocalQueue::new(&mut memory);
/// let (mut tx, mut rx) = queue.split();
/// std::thread::scope(|scope| {
///     scope.spawn(move || {
///         for sample in 1..=1000_u64 {
///             while tx.push(sample).is_err() {
///                 std::thread::yield_now();
///             }
///         }
///     });
///     let mut sum = 0;
///     while sum < 500_500 {
///         rx.pop_batch(64, |sample| sum += sample);
///     }
///     assert_eq!(sum, 500_500);
/// });
/// ```
///
/// In memory of the heap, with the feature `alloc`, which `strait` has on, the halves own it together:
///
/// ```
/// # #[cfg(feature = "alloc")] {
/// use strait_core::LocalQueue;
/// let (mut tx, mut rx) = LocalQueue::with_capacity(1000).into_halves();
/// let sender = std::thread::spawn(move || tx.push("done".to_string()));
/// sender.join().unwrap().unwrap();
/// assert!(rx.is_abandoned());
/// assert_eq!(rx.pop().as_deref(), Some("done"));
/// # }
/// ```
///
/// How it works: the invariants are in `core/src/protocol/local_queue.rs`.
pub struct LocalQueue<'m, T> {
    ends: Ends,
    /// The values; those from head to tail are there. `laps.capacity()` cells, of this queue alone for `'m`.
    slots: NonNull<Cell<T>>,
    laps: Laps,
    /// Whether the cells are this queue's own, to be freed with it.
    on_heap: bool,
    memory: PhantomData<&'m mut [MaybeUninit<T>]>,
}

/// What the two halves share beside the values.
struct Ends {
    /// Written by the producer.
    tail: Line<End>,
    /// Written by the consumer.
    head: Line<End>,
}

/// What one half writes.
struct End {
    /// How far it has come: see L2 of the protocol.
    position: Word,
    /// Whether it was dropped: 1 if so.
    left: Word,
}

impl Ends {
    fn new() -> Self {
        let end = || Line(End { position: Word::new(0), left: Word::new(0) });
        Self { tail: end(), head: end() }
    }
}

// SAFETY: a queue is its values and words; the pointer to the cells is to memory of its own (`slots`).
unsafe impl<T: Send> Send for LocalQueue<'_, T> {}
// SAFETY: a shared queue tells its capacity, and no more.
unsafe impl<T: Send> Sync for LocalQueue<'_, T> {}

impl<'m, T: Send> LocalQueue<'m, T> {
    /// An empty queue in this memory, as long as which it is.
    ///
    /// # Panics
    ///
    /// If that is more than 2^30 values.
    #[must_use]
    pub fn new(memory: &'m mut [MaybeUninit<T>]) -> Self {
        let laps = Self::laps(memory.len());
        Self { ends: Ends::new(), slots: Cell::over(memory), laps, on_heap: false, memory: PhantomData }
    }

    /// Splits the queue into its halves, which borrow it. After both the queue can be split again; what was not
    /// received is still there.
    #[must_use]
    pub fn split(&mut self) -> (LocalProducer<'_, T>, LocalConsumer<'_, T>) {
        // ORDERING: Relaxed; the queue is borrowed exclusively, so nobody else has a half.
        self.ends.tail.0.left.store(0, RELAXED);
        self.ends.head.0.left.store(0, RELAXED);
        // SAFETY: the halves borrow the queue, and no others do.
        unsafe { halves::pair(self, || owner::Owner::new(None)) }
    }

    fn laps(capacity: usize) -> Laps {
        match Laps::new(capacity) {
            Some(laps) => laps,
            None => panic!("a queue of {capacity} values: the most are {MOST}"),
        }
    }
}

impl<T> LocalQueue<'_, T> {
    /// The capacity.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.laps.capacity()
    }
}

impl<T> Drop for LocalQueue<'_, T> {
    fn drop(&mut self) {
        // ORDERING: Relaxed; both halves have ended, and whoever drops the queue knows of it.
        let head = self.ends.head.0.position.load(RELAXED);
        let tail = self.ends.tail.0.position.load(RELAXED);
        // Frees the cells after the values, also if one of those panics.
        let _memory = owner::Memory { first: self.slots, len: self.laps.capacity(), on_heap: self.on_heap };
        for index in self.laps.runs(head, tail).into_iter().flatten() {
            // SAFETY: an index of a position is below the capacity (L2).
            let cell = unsafe { self.slots.add(index) };
            // SAFETY: the cells are there until `_memory` frees them.
            let cell = unsafe { cell.as_ref() };
            // SAFETY: slots from head to tail hold values (L1), and nobody else is left.
            drop(unsafe { cell.take() });
        }
    }
}
