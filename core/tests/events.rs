//! Events, heartbeats, and waiting for receivers of all kinds at once.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::common::{Member, Region};
use strait_core::ground::entry::at;
use strait_core::ground::plan::Fault;
use strait_core::{
    BroadcastStart, Channel, ChannelError, Listener, Plan, Reading, Ready, TypedLanesConsumer, WaitAnyError,
    WaitPolicy, Waitable, ready, wait_any, wait_ready,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::event("event"),
    Channel::event("other event"),
    Channel::slots::<u32>("slots", 4).consumer_may_block(),
    Channel::frames("frames", 64, 16).consumer_may_block(),
    Channel::latest::<u32>("latest").consumer_may_block().expected_every(Duration::from_millis(40)),
    Channel::latest::<u32>("polled"),
    Channel::mutex::<u32>("mutex"),
    Channel::compact::<u32>("no sleep", 4),
    Channel::broadcast::<u32>("broadcast", 4).consumer_may_block(),
    Channel::calls::<u32, u32>("calls", 2).consumer_may_block(),
    Channel::slots::<u32>("lanes", 4).producers(3).consumer_may_block(),
])
.line(4)
.participants(8);

/// Longer than any test waits for what does come.
const LONG: Duration = Duration::from_secs(30);

/// Sleeps at once, and looks by itself too seldom for a test to pass by that.
const ASLEEP: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// FAULTS: a notification is lost when a queue of notifications is full. Here there is none.
#[test]
fn a_million_notifications_that_nobody_looked_at_are_all_counted() {
    let (_region, a, b) = setup();
    let mut notifier = a.notifier("event").unwrap();
    notifier.notify(1);
    let mut listeners = [b.listener("event").unwrap(), b.listener("event").unwrap()];
    assert!(listeners.iter_mut().all(|listener| listener.try_wait().is_none()), "it was before them");
    (0..1_000_000).for_each(|code| notifier.notify(code));
    for listener in &mut listeners {
        let notified = listener.try_wait().unwrap();
        assert_eq!((notified.count.get(), notified.code), (1_000_000, 999_999));
        assert_eq!(listener.try_wait(), None);
        assert_eq!(listener.total(), 1_000_001);
    }
    assert_eq!(notifier.total(), 1_000_001);
}

/// What listeners count adds up to what was notified, whoever of them is slow.
#[test]
fn counts_add_up_while_others_notify_and_listen() {
    const NOTIFICATIONS: u64 = 20_000;
    let (_region, a, b) = setup();
    let listeners: [Listener<_>; 2] = [(); 2].map(|()| b.listener("event").unwrap());
    std::thread::scope(|scope| {
        for mut listener in listeners {
            scope.spawn(move || {
                let mut sum = 0;
                while sum < NOTIFICATIONS {
                    let notified = listener.wait_timeout(LONG).expect("more is coming");
                    sum += notified.count.get();
                    assert_eq!(u64::from(notified.code), sum, "the newest code");
                }
                assert_eq!(sum, NOTIFICATIONS);
            });
        }
        let mut notifier = a.notifier("event").unwrap();
        (1..=NOTIFICATIONS as u32).for_each(|code| notifier.notify(code));
    });
}

#[test]
fn a_successor_goes_on_counting() {
    let (_region, a, b) = setup();
    let mut listener = b.listener("event").unwrap();
    for code in 1..=3 {
        a.notifier("event").unwrap().notify(code);
    }
    assert_eq!(listener.try_wait().map(|notified| notified.count.get()), Some(3));
}

/// A notifier that counts backwards, or by any amount, makes wrong counts and nothing else.
#[test]
fn a_notifier_that_misbehaves_makes_wrong_counts_only() {
    let (region, a, b) = setup();
    let entry = region.entry("event");
    let mut notifier = a.notifier("event").unwrap();
    let mut listener = b.listener("event").unwrap();
    (0..10).for_each(|code| notifier.notify(code));
    assert!(listener.try_wait().is_some());
    for count in [2, 1, u32::MAX, 0, 20, 0x8000_0000] {
        region.poke(entry.block_a + at::NEWEST, count);
        let _ = listener.try_wait();
        let _ = listener.wait_timeout(Duration::ZERO);
    }
}

/// FAULTS: a wait set misses what was there before it attached; one kind hides another's wake.
#[test]
fn one_sleep_is_for_receivers_of_all_kinds() {
    for (index, name) in
        ["event", "slots", "frames", "latest", "broadcast", "calls", "lanes"].into_iter().enumerate()
    {
        for already in [true, false] {
            let (_region, a, b) = setup();
            let mut event = b.listener("event").unwrap();
            let mut slots = b.typed_consumer::<u32>("slots").unwrap();
            let mut frames = b.consumer("frames").unwrap();
            let mut latest = b.latest_reader::<u32>("latest").unwrap();
            let mut broadcast = b.broadcast_reader::<u32>("broadcast", BroadcastStart::Newest).unwrap();
            let mut calls = b.call_server::<u32, u32>("calls").unwrap();
            let mut lanes: TypedLanesConsumer<u32, _, 4> = b.typed_lanes_consumer("lanes").unwrap();
            let send = || match name {
                "event" => a.notifier(name).unwrap().notify(1),
                "slots" => a.typed_producer::<u32>(name).unwrap().try_send(&1).unwrap(),
                "frames" => a.producer(name).unwrap().try_send(1, b"").unwrap(),
                "broadcast" => a.broadcast_writer::<u32>(name).unwrap().publish(&1),
                "calls" => a.call_client::<u32, u32>(name).unwrap().post(&1).unwrap(),
                "lanes" => a.typed_lane_producer::<u32>(name, 2).unwrap().try_send(&1).unwrap(),
                _ => a.latest_writer::<u32>(name).unwrap().publish(&1),
            };
            let started = Instant::now();
            std::thread::scope(|scope| {
                if already {
                    send();
                } else {
                    scope.spawn(|| {
                        std::thread::sleep(Duration::from_millis(30));
                        send();
                    });
                }
                let all: &mut [&mut dyn Waitable] = &mut [
                    &mut event,
                    &mut slots,
                    &mut frames,
                    &mut latest,
                    &mut broadcast,
                    &mut calls,
                    &mut lanes,
                ];
                assert_eq!(wait_any(b.port(), all, ASLEEP, LONG), Ok(index), "{name}");
            });
            assert!(started.elapsed() < LONG / 2, "{name}: {:?}", started.elapsed());
        }
    }
}

/// A latest value of which nothing was published, or nothing new, is not ready.
#[test]
fn what_was_read_is_not_ready() {
    let (_region, a, b) = setup();
    let mut latest = b.latest_reader::<u32>("latest").unwrap();
    let soon = Duration::from_millis(1);
    let wait = |latest: &mut dyn Waitable| wait_any(b.port(), &mut [latest], WaitPolicy::parking(), soon);
    assert_eq!(wait(&mut latest), Err(WaitAnyError::TimedOut));
    a.latest_writer::<u32>("latest").unwrap().publish(&5);
    assert_eq!(wait(&mut latest), Ok(0));
    assert_eq!(latest.read(), Reading::Fresh(5));
    assert_eq!(wait(&mut latest), Err(WaitAnyError::TimedOut));
}

/// One whose plan does not let it sleep is looked at once a millisecond, and a queue of that kind is refused.
#[test]
fn what_may_not_sleep_is_polled_or_refused() {
    let (_region, a, b) = setup();
    let mut polled = b.latest_reader::<u32>("polled").unwrap();
    let mut event = b.listener("event").unwrap();
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            a.latest_writer::<u32>("polled").unwrap().publish(&1);
        });
        assert_eq!(wait_any(b.port(), &mut [&mut event, &mut polled], ASLEEP, LONG), Ok(1));
    });
    assert!(started.elapsed() < LONG / 2);
    let mut queue = b.typed_consumer::<u32>("no sleep").unwrap();
    let refused = wait_any(b.port(), &mut [&mut event, &mut queue], ASLEEP, LONG);
    assert_eq!(refused, Err(WaitAnyError::NoDoorbell));
    let polling = wait_any(b.port(), &mut [&mut event, &mut queue], WaitPolicy::polling(), Duration::ZERO);
    assert_eq!(polling, Err(WaitAnyError::TimedOut));
}

/// All that are ready are returned, in order, so that none starves behind one that always is.
#[test]
fn all_that_are_ready_are_returned() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut notifier = a.notifier("event").unwrap();
    let mut listeners: Vec<_> = (0..Ready::MOST).map(|_| b.listener("event").unwrap()).collect();
    let mut quiet = b.listener("other event").unwrap();
    notifier.notify(1);
    for skip in [0, 31, 32, 127] {
        listeners[skip].try_wait();
    }
    let mut all: Vec<&mut dyn Waitable> = listeners.iter_mut().map(|listener| listener as _).collect();
    let found = wait_ready(b.port(), &mut all, ASLEEP, LONG).unwrap();
    assert!(found.contains(30) && !found.contains(31) && !found.contains(Ready::MOST));
    let found: Vec<_> = found.collect();
    let expected: Vec<_> = (0..Ready::MOST).filter(|i| ![0, 31, 32, 127].contains(i)).collect();
    assert_eq!(found, expected);
    assert!(Ready::from_iter(found).eq(expected), "a set of these");
    assert!(Ready::from_iter([Ready::MOST, 40, 3, 40, usize::MAX]).eq([3, 40]));
    assert!(!Ready::from_iter([40]).is_empty() && Ready::from_iter([Ready::MOST]).is_empty());
    all.push(&mut quiet);
    let too_many = Err(WaitAnyError::TooMany { most: Ready::MOST });
    assert_eq!(wait_ready(b.port(), &mut all, ASLEEP, LONG), too_many);
    assert_eq!(wait_any(b.port(), &mut all, ASLEEP, LONG), Ok(1), "that has no such limit");
    assert_eq!(
        wait_any(b.port(), &mut [], WaitPolicy::parking(), Duration::ZERO),
        Err(WaitAnyError::TimedOut)
    );
}

/// Counts how often it is woken.
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_task_waits_for_several_and_leaves_no_waker_behind() {
    let (region, a, b) = setup();
    let (mut event, mut slots) = (b.listener("event").unwrap(), b.typed_consumer::<u32>("slots").unwrap());
    let mut no_sleep = b.typed_consumer::<u32>("no sleep").unwrap();
    let count = Arc::new(Count(AtomicU32::new(0)));
    let waker = Waker::from(count.clone());
    let context = &mut Context::from_waker(&waker);
    for round in 1..=2 {
        {
            let mut all: [&mut dyn Waitable; 2] = [&mut event, &mut slots];
            let mut future = pin!(ready(b.port(), &mut all, WaitPolicy::parking()));
            assert!(future.as_mut().poll(context).is_pending());
            match round {
                1 => a.notifier("event").unwrap().notify(1),
                _ => a.typed_producer::<u32>("slots").unwrap().try_send(&1).unwrap(),
            }
            assert_eq!(count.0.load(Relaxed), round);
            let Poll::Ready(Ok(found)) = future.as_mut().poll(context) else { panic!("it was woken") };
            assert_eq!(found.collect::<Vec<_>>(), [round as usize - 1]);
        }
        event.try_wait();
    }
    assert_eq!(slots.try_recv(), Ok(1));
    {
        let mut all: [&mut dyn Waitable; 2] = [&mut event, &mut slots];
        let mut dropped = pin!(ready(b.port(), &mut all, WaitPolicy::parking()));
        assert!(dropped.as_mut().poll(context).is_pending());
    }
    assert_eq!(region.tasks(), 0, "the dropped future left one");
    let mut all: [&mut dyn Waitable; 1] = [&mut no_sleep];
    let refused = pin!(ready(b.port(), &mut all, WaitPolicy::parking())).poll(context);
    assert_eq!(refused, Poll::Ready(Err(WaitAnyError::NoDoorbell)));
}

/// A task that waits for an event gets the count.
#[test]
fn a_task_counts_notifications() {
    let (_region, a, b) = setup();
    let mut listener = b.listener("event").unwrap();
    let mut notifier = a.notifier("event").unwrap();
    let mut waiting = pin!(listener.wait());
    let context = &mut Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(context).is_pending());
    notifier.notify(3);
    notifier.notify(4);
    let Poll::Ready(Ok(notified)) = waiting.as_mut().poll(context) else { panic!("it was notified") };
    assert_eq!((notified.count.get(), notified.code), (2, 4));
}

/// Late is what the plan says, by the clock of the one that looks; and it ends with the next value.
#[test]
fn a_sender_that_is_late_is_reported_until_it_sends() {
    let (_region, a, b) = setup();
    let mut heartbeat = b.heartbeat("latest").unwrap();
    let period = heartbeat.period().unwrap();
    assert_eq!(period, Duration::from_millis(40));
    std::thread::sleep(period * 2);
    let late = heartbeat.check().unwrap_err();
    assert!(late.by >= period / 2, "{late}");
    a.latest_writer::<u32>("latest").unwrap().publish(&1);
    assert!(heartbeat.silence() < late.by + period);
    let mut unplanned = b.heartbeat("slots").unwrap();
    assert_eq!((unplanned.period(), unplanned.check()), (None, Ok(())));
    assert!(matches!(b.heartbeat("mutex"), Err(ChannelError::Kind { .. })));
    assert!(matches!(b.heartbeat("none"), Err(ChannelError::NotFound)));
}

#[test]
fn an_expectation_that_cannot_be_kept_is_refused() {
    let too_long = Duration::from_secs(72 * 60);
    for channel in [
        Channel::event("e").expected_every(too_long),
        Channel::mutex::<u32>("m").expected_every(Duration::from_secs(1)),
    ] {
        let error = Plan::new(&[channel]).try_size().unwrap_err();
        assert_eq!((error.channel, error.fault), (Some(0), Fault::Period), "{error}");
    }
}
