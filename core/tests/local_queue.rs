//! The queue in ordinary memory: any capacity, batches, chunks, halves that end, and what is left.

use core::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use strait_core::protocol::local_queue::{Consumer, Laps, MOST, Producer};
use strait_core::{LocalConsumer, LocalProducer, LocalQueue};

/// How many laps a test of threads takes; an interpreter takes thousands of times as long.
const LAPS: u64 = if cfg!(miri) { 30 } else { 500 };

/// Runs the test with a queue of each capacity in memory of its own.
fn each_capacity(most: usize, test: impl Fn(usize, LocalProducer<'_, u32>, LocalConsumer<'_, u32>)) {
    for capacity in 0..=most {
        let mut memory: Vec<MaybeUninit<u32>> = Vec::with_capacity(capacity);
        memory.resize_with(capacity, MaybeUninit::uninit);
        let mut queue = LocalQueue::new(&mut memory);
        assert_eq!(queue.capacity(), capacity);
        let (tx, rx) = queue.split();
        assert_eq!((tx.capacity(), rx.capacity()), (capacity, capacity));
        test(capacity, tx, rx);
    }
}

/// Fills up, runs empty, and goes round at each fill level.
#[test]
fn any_capacity_works() {
    each_capacity(if cfg!(miri) { 5 } else { 17 }, |capacity, mut tx, mut rx| {
        let (mut sent, mut got) = (0, 0);
        for level in (0..=capacity).cycle().take(12 * (capacity + 1)) {
            while (sent - got) as usize > level {
                assert_eq!(rx.peek().copied(), Some(got), "{capacity}");
                assert_eq!(rx.pop(), Some(got), "{capacity}");
                got += 1;
                assert_eq!((tx.len(), rx.len()), ((sent - got) as usize, (sent - got) as usize));
            }
            while ((sent - got) as usize) < level {
                tx.push(sent).unwrap();
                sent += 1;
                assert_eq!((tx.len(), rx.len()), ((sent - got) as usize, (sent - got) as usize));
            }
            let (full, empty) = (level == capacity, level == 0);
            assert_eq!((tx.is_full(), rx.is_empty(), tx.is_empty()), (full, empty, empty), "{capacity}");
            if full {
                assert_eq!(tx.push(sent), Err(sent), "{capacity}");
                assert!(tx.chunk(1).is_none());
                assert_eq!((tx.push_batch([sent]), tx.push_slice(&[sent])), (0, 0));
            }
            if empty {
                assert!(rx.peek().is_none() && rx.pop().is_none() && rx.chunk(1).is_none(), "{capacity}");
                assert_eq!((rx.pop_batch(9, |_| panic!()), rx.pop_slice(&mut [0; 9])), (0, 0));
            }
        }
    });
}

/// Single values, iterators, slices and chunks in turn, of all lengths, against a count of what must be there.
#[test]
fn all_ways_in_and_out_agree() {
    each_capacity(if cfg!(miri) { 4 } else { 13 }, |capacity, mut tx, mut rx| {
        let (mut sent, mut got) = (0_u32, 0_u32);
        for step in 0..80 * (capacity + 1) {
            let (wanted, most) = ((step * 7) % (capacity + 3), (step * 5) % (capacity + 3));
            let free = capacity - (sent - got) as usize;
            let values: Vec<u32> = (sent..sent + wanted as u32).collect();
            match step % 4 {
                0 => {
                    let mut values = values.into_iter();
                    assert_eq!(tx.push_batch(&mut values), wanted.min(free), "{capacity}");
                    sent += wanted.min(free) as u32;
                    assert!(
                        values.next().is_none_or(|next| next == sent),
                        "asked for only if there is space"
                    );
                }
                1 => {
                    assert_eq!(tx.push_slice(&values), wanted.min(free), "{capacity}");
                    sent += wanted.min(free) as u32;
                }
                2 => {
                    // Ends at the end of the ring, so it may be shorter.
                    if let Some(mut chunk) = tx.chunk(wanted) {
                        let count = chunk.slots().len();
                        assert!(0 < count && count <= wanted.min(free), "{capacity}");
                        chunk.slots().iter_mut().zip(sent..).for_each(|(slot, value)| {
                            slot.write(value);
                        });
                        // SAFETY: all of them were filled.
                        unsafe { chunk.commit(count) };
                        sent += count as u32;
                    } else {
                        assert_eq!(wanted.min(free), 0, "{capacity}");
                    }
                }
                _ => {
                    assert_eq!(tx.push(sent).is_ok(), free > 0);
                    sent += u32::from(free > 0);
                }
            }
            let there = (sent - got) as usize;
            match step % 3 {
                0 => {
                    let count = rx.pop_batch(most, |value| {
                        assert_eq!(value, got, "{capacity}");
                        got += 1;
                    });
                    assert_eq!(count, most.min(there), "{capacity}");
                }
                1 => {
                    let mut into = vec![0; most];
                    let count = rx.pop_slice(&mut into);
                    assert_eq!(count, most.min(there), "{capacity}");
                    assert!(into[..count].iter().copied().eq(got..got + count as u32), "{capacity}");
                    got += count as u32;
                }
                _ => {
                    if let Some(chunk) = rx.chunk(most) {
                        let count = chunk.len();
                        assert!(0 < count && count <= most.min(there), "{capacity}");
                        assert!(chunk.iter().copied().eq(got..got + count as u32), "{capacity}");
                        // Half of it: the rest stays.
                        chunk.release(count.div_ceil(2));
                        got += count.div_ceil(2) as u32;
                    } else {
                        assert_eq!(most.min(there), 0, "{capacity}");
                    }
                }
            }
            assert_eq!((tx.len(), rx.len()), ((sent - got) as usize, (sent - got) as usize), "{capacity}");
        }
    });
}

#[test]
fn values_cross_threads() {
    for capacity in [1, 2, 7, 64] {
        let values = LAPS * capacity as u64;
        let mut memory: Vec<MaybeUninit<u64>> = Vec::with_capacity(capacity);
        memory.resize_with(capacity, MaybeUninit::uninit);
        let mut queue = LocalQueue::new(&mut memory);
        let (mut tx, mut rx) = queue.split();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut values = 0..values;
                while !values.is_empty() {
                    if tx.push_batch(&mut values) == 0 {
                        std::thread::yield_now();
                    }
                }
            });
            let mut next = 0;
            while next < values {
                let chunk = rx.pop_batch(5, |value| {
                    assert_eq!(value, next);
                    next += 1;
                });
                if chunk == 0 {
                    std::thread::yield_now();
                }
            }
            assert!(rx.pop().is_none());
        });
    }
}

/// A value that counts its end.
struct Ends<'c>(u32, &'c AtomicU32);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.1.fetch_add(1, Relaxed);
    }
}

#[test]
fn what_was_left_is_there_after_another_split_and_ends_with_the_queue() {
    let ended = AtomicU32::new(0);
    let mut memory = [const { MaybeUninit::uninit() }; 3];
    let mut queue = LocalQueue::new(&mut memory);
    let mut number = 0;
    for round in 0..20 {
        let (mut tx, mut rx) = queue.split();
        assert!(!tx.is_abandoned() && !rx.is_abandoned());
        while tx.push(Ends(number, &ended)).is_ok() {
            number += 1;
        }
        // What came back ended here.
        ended.fetch_sub(1, Relaxed);
        for _ in 0..=round % 3 {
            assert!(rx.pop().is_some());
        }
        if round % 3 == 0 {
            drop(rx);
            assert!(tx.is_abandoned());
            continue;
        }
        drop(tx);
        assert!(rx.is_abandoned());
        // A half that was forgotten makes no difference.
        if round % 2 == 0 {
            core::mem::forget(rx);
        }
    }
    let left = 3 - (1 + 19 % 3);
    assert_eq!(ended.load(Relaxed), number - left);
    drop(queue);
    assert_eq!(ended.load(Relaxed), number, "each value ended once");
}

#[test]
fn a_panic_loses_and_doubles_nothing() {
    let ended = AtomicU32::new(0);
    let made = |number| Ends(number, &ended);
    let panics = |run: &mut dyn FnMut()| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).expect_err("it panics");
    };
    let mut memory = [const { MaybeUninit::uninit() }; 5];
    let mut queue = LocalQueue::new(&mut memory);
    let (mut tx, mut rx) = queue.split();
    let fourth_panics = |number| if number < 3 { made(number) } else { panic!("on purpose") };
    panics(&mut || {
        tx.push_batch((0..4).map(fourth_panics));
    });
    assert_eq!((tx.len(), ended.load(Relaxed)), (3, 0));
    let mut seen = Vec::new();
    panics(&mut || {
        rx.pop_batch(5, |value| {
            seen.push(value.0);
            assert!(value.0 != 1, "on purpose");
        });
    });
    assert_eq!((seen, tx.len(), ended.load(Relaxed)), (vec![0, 1], 1, 2));
    let chunk = rx.chunk(9).unwrap();
    assert_eq!(chunk[0].0, 2);
    assert_eq!((rx.len(), ended.load(Relaxed)), (1, 2), "a chunk that is dropped leaves all of it");
    rx.chunk(9).unwrap().release(1);
    assert_eq!(ended.load(Relaxed), 3);
    assert_eq!(tx.push_batch((0..9).map(made)), 5);
    assert_eq!(ended.load(Relaxed), 3, "no value is made without space");
    drop((tx, rx));
    drop(queue);
    assert_eq!(ended.load(Relaxed), 8);
}

#[cfg(feature = "alloc")]
#[test]
fn halves_that_own_their_queue_end_it() {
    let ended: &'static AtomicU32 = Box::leak(Box::new(AtomicU32::new(0)));
    for capacity in [0, 1, 3, 100] {
        ended.store(0, Relaxed);
        let (mut tx, mut rx) = LocalQueue::with_capacity(capacity).into_halves();
        let sender = std::thread::spawn(move || {
            let sent = tx.push_batch((0..200).map(|number| Ends(number, ended)));
            assert!(!tx.is_abandoned());
            sent
        });
        assert_eq!(sender.join().unwrap(), capacity);
        assert!(rx.is_abandoned());
        let popped = rx.pop_batch(capacity / 2, drop);
        assert_eq!((popped, ended.load(Relaxed) as usize), (capacity / 2, capacity / 2));
        drop(rx);
        assert_eq!(ended.load(Relaxed) as usize, capacity);
    }
}

/// Values without a size are counted all the same.
#[test]
fn values_of_no_size_work() {
    let mut memory = [const { MaybeUninit::uninit() }; 5];
    let mut queue = LocalQueue::new(&mut memory);
    let (mut tx, mut rx) = queue.split();
    for _ in 0..7 {
        assert_eq!(tx.push_slice(&[(); 9]), 5);
        assert_eq!((rx.pop(), rx.pop_batch(9, |()| {})), (Some(()), 4));
    }
}

/// The protocol alone, with positions that wrap around 2^32, and at the greatest capacity.
#[test]
fn positions_wrap() {
    use strait_core::ground::sync::Word;
    for capacity in [1, 2, 3, 4, 5, 1000, MOST - 1, MOST] {
        let laps = Laps::new(capacity).unwrap();
        let stride = (capacity as u32 + 1).next_power_of_two();
        // The last lap before the wrap, with a step to go in it.
        let at = 0_u32.wrapping_sub(stride) + (capacity as u32 - 1);
        let (head, tail) = (Word::new(at), Word::new(at));
        let (mut tx, mut rx) = (Producer::new(laps, at), Consumer::new(laps, at));
        assert_eq!(rx.next(&tail), None);
        for step in 0..3.min(capacity) {
            let index = tx.free(&head).unwrap();
            assert_eq!(index, (capacity - 1 + step) % capacity);
            tx.advance(index + 1);
            tx.publish(&tail);
            assert_eq!((tx.len(&head), rx.len(&tail)), (step + 1, step + 1), "{capacity}");
        }
        let filled = tx.run(usize::MAX, &head);
        assert_eq!(filled.len(), capacity.saturating_sub(3), "{capacity}");
        for step in 0..3.min(capacity) {
            let index = rx.next(&tail).unwrap();
            assert_eq!(index, (capacity - 1 + step) % capacity);
            rx.advance(index + 1);
            rx.release(&head);
        }
        assert_eq!((rx.next(&tail), tx.len(&head)), (None, 0), "{capacity}");
    }
    assert!(Laps::new(MOST + 1).is_none());
}
