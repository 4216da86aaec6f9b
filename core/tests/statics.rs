//! Primitives that stand alone in a `static`: the queue without a region, and the region without a
//! heap.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert};
use strait_core::{
    Channel, ChannelError, LocalError, Plan, Reading, RecvError, StaticConsumer, StaticProducer, StaticQueue,
    StaticRegion,
    format::{AttachError, FormatError},
    port::NoSystem,
};

// At most 16 bytes more than the values, rounded up to their alignment.
const_assert!(size_of::<StaticQueue<u8, 16>>() <= 16 + 16);
const_assert!(size_of::<StaticQueue<u8, 1>>() <= 1 + 16);
const_assert!(size_of::<StaticQueue<u16, 8>>() <= 16 + 16);
const_assert!(size_of::<StaticQueue<u32, 8>>() <= 32 + 16);
const_assert!(size_of::<StaticQueue<[u8; 3], 4>>() <= 12 + 16);
const_assert!(size_of::<StaticQueue<u64, 4>>() <= 32 + 16);
const_assert!(size_of::<StaticQueue<(), 4>>() <= 16);

assert_impl_all!(StaticQueue<Vec<u8>, 4>: Send, Sync);
assert_impl_all!(StaticProducer<'static, u32, 4>: Send);
assert_impl_all!(StaticConsumer<'static, u32, 4>: Send);
assert_impl_all!(StaticRegion<1024>: Send, Sync);
assert_not_impl_any!(StaticQueue<std::rc::Rc<u8>, 4>: Sync, Send);
assert_not_impl_any!(StaticProducer<'static, std::rc::Rc<u8>, 4>: Send);
assert_not_impl_any!(StaticConsumer<'static, std::cell::Cell<u8>, 4>: Clone);

#[test]
fn each_half_is_taken_once() {
    static QUEUE: StaticQueue<u32, 2> = StaticQueue::new();
    let (tx, rx) = (QUEUE.take_producer(), QUEUE.take_consumer());
    assert!(tx.is_some() && rx.is_some());
    assert!(QUEUE.take_producer().is_none() && QUEUE.take_consumer().is_none());
    let _ = (tx, rx);
    assert!(QUEUE.take_producer().is_none() && QUEUE.take_consumer().is_none(), "once, for good");
}

#[test]
fn of_many_takers_one_gets_each_half() {
    for _ in 0..300 {
        let queue: StaticQueue<u32, 2> = StaticQueue::new();
        let (producers, consumers) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    producers.fetch_add(usize::from(queue.take_producer().is_some()), Relaxed);
                    consumers.fetch_add(usize::from(queue.take_consumer().is_some()), Relaxed);
                });
            }
        });
        assert_eq!((producers.into_inner(), consumers.into_inner()), (1, 1));
    }
}

#[test]
fn all_places_can_be_used_and_values_come_back_in_order() {
    let queue: StaticQueue<String, 4> = StaticQueue::default();
    let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
    assert_eq!((tx.capacity(), rx.capacity(), tx.is_full(), rx.is_empty()), (4, 4, false, true));
    for round in 0..50 {
        for i in 0..4 {
            tx.push(format!("{round} {i}")).unwrap();
        }
        assert!(tx.is_full() && !rx.is_empty());
        assert_eq!(tx.push("one more".into()), Err("one more".into()), "given back");
        for i in 0..4 {
            assert_eq!(rx.pop(), Some(format!("{round} {i}")));
        }
        assert_eq!((rx.pop(), rx.is_empty(), tx.is_full()), (None, true, false));
        // Move on by one, so that every round starts elsewhere.
        tx.push("shift".into()).unwrap();
        assert!(rx.pop().is_some());
    }
}

#[test]
fn one_place_is_enough() {
    let queue: StaticQueue<u8, 1> = StaticQueue::new();
    let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
    for value in 0..=255 {
        tx.push(value).unwrap();
        assert_eq!((tx.push(value), rx.pop(), rx.pop()), (Err(value), Some(value), None));
    }
}

#[test]
fn values_cross_threads() {
    static QUEUE: StaticQueue<u64, 8> = StaticQueue::new();
    let (mut tx, mut rx) = (QUEUE.take_producer().unwrap(), QUEUE.take_consumer().unwrap());
    let give_up = Instant::now() + Duration::from_secs(60);
    let sender = std::thread::spawn(move || {
        for value in 0..200_000 {
            while tx.push(value).is_err() {
                assert!(Instant::now() < give_up, "stuck");
                std::thread::yield_now();
            }
        }
    });
    for expected in 0..200_000 {
        let value = loop {
            match rx.pop() {
                Some(value) => break value,
                None => std::thread::yield_now(),
            }
            assert!(Instant::now() < give_up, "stuck");
        };
        assert_eq!(value, expected);
    }
    sender.join().unwrap();
}

/// Counts how often it was dropped, and may panic over it.
struct Counted {
    drops: Arc<AtomicUsize>,
    explosive: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Relaxed);
        assert!(!self.explosive || std::thread::panicking(), "a value panics as it is dropped");
    }
}

fn counted() -> (Arc<AtomicUsize>, impl Fn(bool) -> Counted) {
    let drops = Arc::new(AtomicUsize::new(0));
    let counter = drops.clone();
    (drops, move |explosive| Counted { drops: counter.clone(), explosive })
}

#[test]
fn a_queue_drops_what_it_still_holds_once() {
    for shift in 0..6 {
        for left in 0..=4 {
            let (drops, new) = counted();
            let queue: StaticQueue<Counted, 4> = StaticQueue::new();
            let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
            for _ in 0..shift {
                tx.push(new(false)).ok().unwrap();
                assert!(rx.pop().is_some());
            }
            (0..left).for_each(|_| tx.push(new(false)).ok().unwrap());
            assert_eq!(drops.load(Relaxed), shift);
            if left == 4 {
                assert!(tx.push(new(false)).is_err());
                assert_eq!(drops.load(Relaxed), shift + 1, "the refused one");
            }
            let before = drops.load(Relaxed);
            drop(queue);
            assert_eq!(drops.load(Relaxed), before + left);
        }
    }
}

/// rtrb #114 and #185: a destructor that panics must not have its value, or a neighbour's, dropped
/// twice.
#[test]
fn rtrb_185_a_panicking_destructor_runs_once() {
    let (drops, new) = counted();
    let queue: StaticQueue<Counted, 4> = StaticQueue::new();
    {
        let (mut tx, mut rx) = (queue.take_producer().unwrap(), queue.take_consumer().unwrap());
        tx.push(new(true)).ok().unwrap();
        tx.push(new(false)).ok().unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(rx.pop()))).is_err());
        assert_eq!(drops.load(Relaxed), 1);
        assert!(rx.pop().is_some(), "the next one is whole");
        assert_eq!((drops.load(Relaxed), rx.pop().is_none()), (2, true));
        [false, true, false].into_iter().for_each(|explosive| tx.push(new(explosive)).ok().unwrap());
    }
    let total = 2 + 3;
    assert!(catch_unwind(AssertUnwindSafe(|| drop(queue))).is_err());
    let dropped = drops.load(Relaxed);
    assert!((4..=total).contains(&dropped), "{dropped} of {total}: the rest may leak, none comes twice");
}

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("log", 256, 32),
    Channel::compact::<u16>("samples", 8),
    Channel::latest::<u32>("speed"),
])
.line(4)
.participants(3);

#[test]
fn a_region_in_a_static_is_created_once() {
    static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    let early = REGION.attach(&NoSystem).err();
    assert_eq!(early, Some(LocalError::Attach(AttachError::Uninitialised)));
    let first = REGION.create(&PLAN, 7, &NoSystem).unwrap();
    assert_eq!(REGION.create(&PLAN, 8, &NoSystem).err(), Some(LocalError::Created));
    let second = REGION.attach(&NoSystem).unwrap();
    assert_eq!((first.header().instance, second.header().instance), (7, 7));
    REGION.attach(&NoSystem).unwrap();
    assert!(matches!(REGION.attach(&NoSystem).err(), Some(LocalError::Table(_))), "three is all");

    let mut tx = first.producer("log").unwrap();
    assert_eq!(second.producer("log").err(), Some(ChannelError::Busy));
    let mut rx = second.consumer("log").unwrap();
    tx.try_send(1, b"motor on").unwrap();
    assert_eq!(rx.try_recv_frame::<32>().unwrap().payload(), b"motor on");
    first.latest_writer::<u32>("speed").unwrap().publish(&1500);
    assert_eq!(second.latest_reader::<u32>("speed").unwrap().read(), Reading::Fresh(1500));
    // Without a clock the time is up once it has spun.
    assert_eq!(rx.recv_timeout(&mut [0; 32], Duration::from_secs(3600)), Err(RecvError::TimedOut));
}

#[test]
fn storage_that_is_too_short_stays_unused() {
    static REGION: StaticRegion<{ PLAN.size() - 8 }> = StaticRegion::new();
    let error = REGION.create(&PLAN, 1, &NoSystem).err();
    assert!(matches!(error, Some(LocalError::Format(FormatError::TooShort { .. }))), "{error:?}");
    let smaller = PLAN.participants(2);
    REGION.create(&smaller, 1, &NoSystem).unwrap().producer("log").unwrap();
}

#[test]
fn a_region_in_a_static_between_threads() {
    static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    let main = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    let mut tx = main.typed_producer::<u16>("samples").unwrap();
    let give_up = Instant::now() + Duration::from_secs(60);
    let receiver = std::thread::spawn(move || {
        let mut rx = REGION.attach(&NoSystem).unwrap().typed_consumer::<u16>("samples").unwrap();
        for expected in 0..20_000 {
            let value = loop {
                if let Ok(value) = rx.try_recv() {
                    break value;
                }
                assert!(Instant::now() < give_up, "stuck");
                std::thread::yield_now();
            };
            assert_eq!(value, expected);
        }
    });
    for value in 0..20_000 {
        while tx.try_send(&value).is_err() {
            assert!(Instant::now() < give_up, "stuck");
            std::thread::yield_now();
        }
    }
    receiver.join().unwrap();
}
