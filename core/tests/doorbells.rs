//! Doorbells: who may share one, and that no consumer of one hides another's wake.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use crate::common::{Member, Region, TestPort};
use strait_core::ground::plan::Fault;
use strait_core::{Channel, Plan, TypedConsumer, WaitPolicy, wait_any};

/// Longer than any test waits for what does come.
const LONG: Duration = Duration::from_secs(30);

/// Sleeps at once, and looks by itself too seldom for a test to pass by that.
const ASLEEP: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("a", 4).doorbell(1),
    Channel::compact::<u32>("b", 4).doorbell(1),
    Channel::frames("c", 64, 16).doorbell(1),
    Channel::slots::<u32>("own", 4).consumer_may_block(),
])
.line(4)
.participants(4);

fn consumer(member: &Member, name: &str) -> TypedConsumer<u32, TestPort> {
    let mut rx = member.typed_consumer(name).unwrap();
    rx.set_wait_policy(ASLEEP);
    rx
}

#[test]
fn only_queues_can_share_a_doorbell() {
    let channels = [
        Channel::latest::<u32>("v"),
        Channel::latest_bytes("v", 8),
        Channel::mutex::<u32>("v"),
        Channel::semaphore("v", 0, 1),
        Channel::permits("v", 1),
        Channel::broadcast::<u32>("v", 4),
        Channel::broadcast_bytes("v", 4, 8),
        Channel::event("v"),
    ];
    for channel in channels {
        let channels = [Channel::slots::<u32>("q", 4).doorbell(1), channel.doorbell(1)];
        let error = Plan::new(&channels).try_size().unwrap_err();
        assert_eq!((error.channel, error.fault), (Some(1), Fault::Doorbell), "{channel:?}");
        assert!(error.to_string().contains("doorbell"), "{error}");
    }
}

/// Equal instances and offsets do not make two regions one: each has its word, and the thread sleeps on both.
#[test]
fn receivers_of_two_regions_are_both_woken_for() {
    for which in [0, 1] {
        let regions = [Region::new(&PLAN), Region::new(&PLAN)];
        let [one, two] = regions.each_ref().map(Region::join);
        let (mut first, mut second) = (consumer(&one, "a"), consumer(&two, "a"));
        let mut tx = regions[which].join().typed_producer::<u32>("a").unwrap();
        let started = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(50));
                tx.try_send(&1).unwrap();
            });
            let found = wait_any(one.port(), &mut [&mut first, &mut second], ASLEEP, LONG);
            assert_eq!(found, Ok(which));
        });
        assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
    }
}

/// Counts how often it is woken.
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A thread waits for b, at the doorbell at which a task waits for a, and gives up: the task is still woken.
#[test]
fn a_thread_that_gives_up_leaves_the_task_its_waker() {
    for (task, thread) in [("a", "b"), ("b", "a")] {
        let region = Region::new(&PLAN);
        let (sender, receiver) = (region.join(), region.join());
        let (mut for_task, mut for_thread) = (consumer(&receiver, task), consumer(&receiver, thread));
        let mut tx = sender.typed_producer::<u32>(task).unwrap();
        let count = Arc::new(Count(AtomicU32::new(0)));
        let waker = Waker::from(count.clone());
        let mut future = pin!(for_task.recv());
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(for_thread.recv_timeout(Duration::from_millis(1)).is_err());
        tx.try_send(&1).unwrap();
        assert_eq!(count.0.load(Relaxed), 1, "the task waits for {task}");
    }
}

/// Two threads sleep at one doorbell for a probe period that no test waits out, and each gets what is its
/// own.
#[test]
fn threads_at_one_doorbell_do_not_cost_each_other_the_probe_period() {
    let region = Region::new(&PLAN);
    let (sender, receiver) = (region.join(), region.join());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for name in ["a", "b"] {
            let (mut rx, mut tx) = (consumer(&receiver, name), sender.typed_producer::<u32>(name).unwrap());
            scope.spawn(move || (0..500).for_each(|value| assert_eq!(rx.recv_timeout(LONG), Ok(value))));
            scope.spawn(move || (0..500).for_each(|value| tx.send_timeout(&value, LONG).unwrap()));
        }
    });
    assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
}

/// A word of the consumer's own is cleared when it gives up, so that the next sender need not wake; a
/// shared one is left to the next sender, who wakes in vain once.
#[test]
fn giving_up_clears_a_word_of_ones_own() {
    for (name, wakes) in [("own", 0), ("a", 1)] {
        let region = Region::new(&PLAN);
        let (sender, receiver) = (region.join(), region.join());
        let mut rx = consumer(&receiver, name);
        let mut tx = sender.typed_producer::<u32>(name).unwrap();
        assert!(rx.recv_timeout(Duration::from_millis(1)).is_err());
        tx.try_send_batch([1, 2]).unwrap();
        tx.try_send(&3).unwrap();
        assert_eq!(region.counts.wakes.load(Relaxed), wakes, "{name}");
    }
}
