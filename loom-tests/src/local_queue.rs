//! The queue in ordinary memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use strait_core::LocalQueue;
use strait_core::model::loom::thread;

use crate::models;
use crate::search::ALL;

models! {
    "what_is_pushed_is_popped/1" => what_is_pushed_is_popped(1),
    "what_is_pushed_is_popped/2" => what_is_pushed_is_popped(2),
    "what_is_pushed_is_popped/3" => what_is_pushed_is_popped(3),
    "batches_arrive/2" => batches_arrive(2),
    "batches_arrive/3" => batches_arrive(3),
    "who_left_has_sent_all" => who_left_has_sent_all(),
}

/// A value that counts its end.
struct Counted(u32, Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// Every value is popped once, in order, or dropped with the queue. Two laps of the shorter rings.
///
/// ```text
///   producer                              consumer
///   free slot? (the head, if need be)     a value? (the tail, if need be)
///   move a value in                       move it out
///   tail + 1, or the next lap             head + 1, or the next lap
/// ```
fn what_is_pushed_is_popped(capacity: usize) {
    const VALUES: u32 = 4;
    ALL.check(move || {
        let dropped = Arc::new(AtomicU32::new(0));
        let (mut tx, mut rx) = LocalQueue::with_capacity(capacity).into_halves();
        let counter = dropped.clone();
        let producer = thread::spawn(move || {
            let pushed = (1..=VALUES).filter(|&number| tx.push(Counted(number, counter.clone())).is_ok());
            pushed.collect::<Vec<_>>()
        });
        let mut popped = Vec::new();
        (1..VALUES).for_each(|_| popped.extend(rx.pop().map(|value| value.0)));
        let pushed = producer.join().unwrap();
        assert!(pushed.len() >= capacity);
        assert_eq!(popped, pushed[..popped.len()]);
        drop(rx);
        assert_eq!(dropped.load(Ordering::Relaxed), VALUES, "each value ended once");
    });
}

/// Batches and slices beside single values, beyond the end of the ring.
///
/// ```text
///   producer                              consumer
///   how much is free? (the head)          how many are there? (the tail)
///   move values in                        move values out
///   tail + as many                        head + as many
/// ```
fn batches_arrive(capacity: usize) {
    ALL.check(move || {
        let (mut tx, mut rx) = LocalQueue::with_capacity(capacity).into_halves();
        let producer = thread::spawn(move || {
            let first = tx.push_batch(1..=2_u32) as u32;
            let single = u32::from(tx.push(first + 1).is_ok());
            first + single + tx.push_slice(&[first + single + 1, first + single + 2]) as u32
        });
        let mut popped = Vec::new();
        rx.pop_batch(2, |value| popped.push(value));
        let mut into = [0; 2];
        let count = rx.pop_slice(&mut into);
        popped.extend_from_slice(&into[..count]);
        let pushed = producer.join().unwrap();
        assert!(pushed as usize >= capacity);
        rx.pop_batch(capacity, |value| popped.push(value));
        assert!(popped.into_iter().eq(1..=pushed), "each once, in order");
    });
}

/// Who sees that the producer has left sees all that it sent.
///
/// ```text
///   producer                              consumer
///   move a value in, tail + 1             has it left?
///   left                                  a value? move it out
/// ```
fn who_left_has_sent_all() {
    ALL.check(|| {
        let (mut tx, mut rx) = LocalQueue::with_capacity(2).into_halves();
        let producer = thread::spawn(move || tx.push(7_u32).unwrap());
        if rx.is_abandoned() {
            assert_eq!(rx.pop(), Some(7));
        }
        producer.join().unwrap();
        assert!(rx.is_abandoned());
    });
}
