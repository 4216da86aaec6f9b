//! The stand-alone queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use strait_core::StaticQueue;
use strait_core::model::loom::thread;

use crate::models;
use crate::search::{ALL, Search, up_to};

models! {
    "what_is_pushed_is_popped/1" => what_is_pushed_is_popped::<1>(ALL),
    "what_is_pushed_is_popped/2" => what_is_pushed_is_popped::<2>(ALL.most(4)),
    "what_is_pushed_is_popped/3" => what_is_pushed_is_popped::<3>(ALL.most(4)),
    "batches_arrive/2" => batches_arrive::<2>(),
    "batches_arrive/3" => batches_arrive::<3>(),
    "a_half_changes_hands" => a_half_changes_hands(),
    "each_half_is_taken_once" => each_half_is_taken_once(),
}

/// A value that counts its end.
struct Counted(u32, Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// Every value is popped once, in order, or dropped with the queue.
///
/// ```text
///   producer                              consumer
///   free slot? (the head, if need be)     a value? (the tail)
///   move a value in                       move it out
///   tail + 1                              head + 1
/// ```
fn what_is_pushed_is_popped<const N: usize>(search: Search) {
    const VALUES: u32 = 4;
    search.check(|| {
        let dropped = Arc::new(AtomicU32::new(0));
        let queue = Arc::new(StaticQueue::<Counted, N>::new());
        let (there, counter) = (queue.clone(), dropped.clone());
        let producer = thread::spawn(move || {
            let mut tx = there.take_producer().unwrap();
            (1..=VALUES)
                .filter(|&number| tx.push(Counted(number, counter.clone())).is_ok())
                .collect::<Vec<_>>()
        });
        let mut popped = Vec::new();
        {
            let mut rx = queue.take_consumer().unwrap();
            (1..VALUES).for_each(|_| popped.extend(rx.pop().map(|value| value.0)));
        }
        let pushed = producer.join().unwrap();
        assert!(pushed.len() >= N);
        assert_eq!(popped, pushed[..popped.len()]);
        drop(queue);
        assert_eq!(dropped.load(Ordering::Relaxed), VALUES, "each value ended once");
    });
}

/// Batches beside single values.
///
/// ```text
///   producer                              consumer
///   how much is free? (the head)          how many are there? (the tail)
///   move values in                        move values out
///   tail + as many                        head + as many
/// ```
fn batches_arrive<const N: usize>() {
    ALL.most(4).check(|| {
        let queue = Arc::new(StaticQueue::<u32, N>::new());
        let there = queue.clone();
        let producer = thread::spawn(move || {
            let mut tx = there.take_producer().unwrap();
            let first = tx.push_batch(1..=2) as u32;
            let single = u32::from(tx.push(first + 1).is_ok());
            first + single + tx.push_batch(first + single + 1..=first + single + 2) as u32
        });
        let mut rx = queue.take_consumer().unwrap();
        let mut popped = Vec::new();
        for _ in 0..2 {
            rx.pop_batch(2, |value| popped.push(value));
        }
        let pushed = producer.join().unwrap();
        assert!(pushed >= N as u32);
        rx.pop_batch(N, |value| popped.push(value));
        assert!(popped.into_iter().eq(1..=pushed), "each once, in order");
    });
}

/// Up to four preemptions.
///
/// ```text
///   one                        another                    a third
///   taken: no producer         taken: no producer         taken: no consumer
///   taken + producer           taken + producer           taken + consumer
/// ```
fn each_half_is_taken_once() {
    up_to(4).check(|| {
        let queue = Arc::new(StaticQueue::<u32, 1>::new());
        let takers = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || u32::from(queue.take_producer().is_some()))
        });
        let consumer = queue.take_consumer();
        let taken: u32 = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
        assert_eq!(taken, 1);
        assert!(consumer.is_some(), "nobody else wanted it");
        assert!(queue.take_consumer().is_none());
    });
}

/// The next one that takes a half goes on where the last one stopped, and sees all that it did. Up to four
/// preemptions.
///
/// ```text
///   one                        another                    the consumer
///   move a value in            taken: no producer         a value? move it out
///   tail + 1                   taken + producer           head + 1
///   taken - producer           move a value in
///                              tail + 1
/// ```
fn a_half_changes_hands() {
    up_to(4).most(3).quick(2).check(|| {
        let queue = Arc::new(StaticQueue::<u32, 3>::new());
        let mut first = queue.take_producer().unwrap();
        let (there, other) = (queue.clone(), queue.clone());
        let heir = thread::spawn(move || {
            let mut tx = there.take_producer()?;
            tx.push(2).unwrap();
            tx.give_back();
            Some(())
        });
        let consumer = thread::spawn(move || {
            let mut rx = other.take_consumer().unwrap();
            let popped: Vec<_> = (0..2).filter_map(|_| rx.pop()).collect();
            rx.give_back();
            popped
        });
        first.push(1).unwrap();
        first.give_back();
        let sent = if heir.join().unwrap().is_some() { vec![1, 2] } else { vec![1] };
        let mut popped = consumer.join().unwrap();
        let mut rx = queue.take_consumer().expect("it was given back");
        popped.extend((0..2).filter_map(|_| rx.pop()));
        assert_eq!(popped, sent);
        assert!(queue.take_producer().is_some());
    });
}
