//! The stand-alone queue: capacities that are no powers of two, lengths, a look at the next value, and halves that
//! are given back.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use strait_core::StaticQueue;
use strait_core::protocol::static_queue::Ring;

/// Fills up, runs empty, and goes round at each fill level, twelve times.
fn goes_round<const N: usize>() {
    let queue: StaticQueue<u32, N> = StaticQueue::new();
    assert_eq!(queue.capacity(), N);
    let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
    let (mut sent, mut got) = (0, 0);
    for level in (0..=N).cycle().take(12 * (N + 1)) {
        while (sent - got) as usize > level {
            assert_eq!(rx.peek().copied(), Some(got), "{N}");
            assert_eq!(rx.pop(), Some(got), "{N}");
            got += 1;
            assert_eq!((tx.len(), rx.len()), ((sent - got) as usize, (sent - got) as usize), "{N}");
        }
        while ((sent - got) as usize) < level {
            tx.push(sent).unwrap();
            sent += 1;
            assert_eq!((tx.len(), rx.len()), ((sent - got) as usize, (sent - got) as usize), "{N}");
        }
        assert_eq!((tx.is_full(), rx.is_empty(), tx.is_empty()), (level == N, level == 0, level == 0), "{N}");
        if level == N {
            assert_eq!(tx.push(sent), Err(sent), "{N}");
        }
        if level == 0 {
            assert!(rx.peek().is_none() && rx.pop().is_none(), "{N}");
        }
    }
}

#[test]
fn any_capacity_works() {
    goes_round::<1>();
    goes_round::<2>();
    goes_round::<3>();
    goes_round::<5>();
    goes_round::<6>();
    goes_round::<7>();
    goes_round::<8>();
    goes_round::<100>();
    goes_round::<1000>();
}

/// Every position has one slot, the next one has the next, and a full queue is no empty one; at the ends of the
/// numbers too.
#[test]
fn positions_wrap_at_any_capacity() {
    for capacity in [1, 2, 3, 4, 5, 1000, 1 << 29, (1 << 30) - 1, 1 << 30] {
        let ring = Ring { capacity };
        let ends = [0, 1, capacity - 1, capacity, 2 * capacity - 2, 2 * capacity - 1];
        let wraps = if capacity.is_power_of_two() { &[u32::MAX - 1, u32::MAX][..] } else { &[] };
        for &position in ends.iter().chain(wraps) {
            assert!(ring.slot(position) < capacity);
            assert_eq!(
                ring.slot(ring.after(position)),
                (ring.slot(position) + 1) % capacity,
                "{capacity}, {position}"
            );
            let lap = ring.a_lap_after(position);
            assert_ne!(lap, position);
            assert_eq!((ring.slot(lap), ring.between(position, lap)), (ring.slot(position), capacity));
            assert_eq!(ring.between(position, position), 0);
            assert_eq!(ring.between(position, ring.after(position)), 1);
        }
    }
}

#[test]
fn values_cross_threads_at_an_odd_capacity() {
    static QUEUE: StaticQueue<u64, 7> = StaticQueue::new();
    const VALUES: u64 = 100_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut tx = QUEUE.take_producer().unwrap();
            for value in 0..VALUES {
                while tx.push(value).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        let mut rx = QUEUE.take_consumer().unwrap();
        for value in 0..VALUES {
            let got = loop {
                match rx.pop() {
                    Some(got) => break got,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(got, value);
        }
    });
}

/// A value that counts how many there are.
struct Counted<'c>(u32, &'c AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Relaxed);
    }
}

#[test]
fn a_half_that_was_given_back_goes_on_with_the_next() {
    let alive = AtomicU32::new(0);
    let new = |number| {
        alive.fetch_add(1, Relaxed);
        Counted(number, &alive)
    };
    {
        let queue: StaticQueue<Counted<'_>, 3> = StaticQueue::new();
        for round in 0..20 {
            let mut tx = queue.take_producer().unwrap();
            assert!(queue.take_producer().is_none());
            for i in 0..3 {
                assert!(tx.push(new(3 * round + i)).is_ok());
            }
            assert_eq!((tx.is_full(), tx.len()), (true, 3));
            tx.give_back();
            for i in 0..3 {
                let mut rx = queue.take_consumer().unwrap();
                assert!(queue.take_consumer().is_none());
                let next = rx.peek().unwrap();
                next.0 += 1000;
                assert_eq!(rx.pop().map(|value| value.0), Some(1000 + 3 * round + i));
                rx.give_back();
            }
        }
        queue.take_producer().unwrap().push(new(0)).ok().unwrap();
        assert!(queue.take_producer().is_none(), "one that was dropped is gone");
        assert_eq!(alive.load(Relaxed), 1);
    }
    assert_eq!(alive.load(Relaxed), 0, "what was left ended with the queue");
}

/// A value that counts its end.
struct Ends<'c>(u32, &'c AtomicU32);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.1.fetch_add(1, Relaxed);
    }
}

fn batches_go_round<const N: usize>() {
    let queue: StaticQueue<u32, N> = StaticQueue::new();
    let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
    let (mut sent, mut got) = (0_u32, 0_u32);
    for step in 0..40 * N {
        let (wanted, most) = ((step * 7) % (N + 2), (step * 5) % (N + 2));
        let free = N - (sent - got) as usize;
        let mut values = sent..sent + wanted as u32;
        let count = tx.push_batch(&mut values);
        assert_eq!(count, wanted.min(free), "{N}");
        sent += count as u32;
        assert!(values.next().is_none_or(|next| next == sent), "a value is asked for only if there is space");
        let there = (sent - got) as usize;
        let count = rx.pop_batch(most, |value| {
            assert_eq!(value, got, "{N}");
            got += 1;
        });
        assert_eq!(count, most.min(there), "{N}");
        assert_eq!((tx.len(), rx.len()), ((sent - got) as usize, (sent - got) as usize), "{N}");
        // Single values between batches.
        if tx.push(sent).is_ok() {
            sent += 1;
        }
        if step % 3 == 0 && rx.pop().is_some() {
            got += 1;
        }
    }
    let left = tx.len();
    assert_eq!(rx.pop_batch(usize::MAX, |value| got = value + 1), left);
    assert!(left == 0 || got == sent);
}

#[test]
fn batches_are_as_many_single_values() {
    batches_go_round::<1>();
    batches_go_round::<2>();
    batches_go_round::<3>();
    batches_go_round::<8>();
    batches_go_round::<100>();
}

/// What a batch that panicked leaves: the values before it are sent, or received, and each value ends once.
#[test]
fn a_panic_in_a_batch_loses_and_doubles_nothing() {
    let ended = AtomicU32::new(0);
    let made = |number| Ends(number, &ended);
    let panics = |run: &mut dyn FnMut()| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).expect_err("it panics");
    };
    let queue: StaticQueue<Ends<'_>, 5> = StaticQueue::new();
    let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
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
    assert_eq!(rx.pop().map(|value| value.0), Some(2));
    assert_eq!(
        (tx.push_batch((0..9).map(made)), ended.load(Relaxed)),
        (5, 3),
        "no value is made without space"
    );
    tx.give_back();
    rx.give_back();
    drop(queue);
    assert_eq!(ended.load(Relaxed), 8);
}
