//! Waits of readers, listeners and lanes, and waits for any of several receivers, that are to end with the other side: as
//! in `peer_gone.rs`, at the probe period and never before the last message.

use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::common::{Member, Region};
use strait_core::{
    BroadcastReader, BroadcastRecvError, BroadcastStart, ChangeError, Channel, FromLane, LanesConsumer,
    PeerStatus, Plan, Received, RecvError, RecvLanesError, TypedLanesConsumer, WaitAnyError, WaitPolicy,
    Waitable, wait_any, wait_ready,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("one", 4).consumer_may_block(),
    Channel::frames("log", 64, 16).consumer_may_block(),
    Channel::slots::<u32>("steps", 4).producers(3).consumer_may_block(),
    Channel::frames("lines", 128, 16).producers(2).consumer_may_block(),
    Channel::broadcast::<u32>("all", 4).consumer_may_block(),
    Channel::event("bell").consumer_may_block(),
    Channel::latest::<u32>("angle").consumer_may_block(),
    Channel::slots::<u32>("each", 4).consumers(2).consumer_may_block(),
])
.line(4)
.participants(4);

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// Much shorter, and much longer than anything should take.
const SOON: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(40);

const POLICIES: [WaitPolicy; 3] = [
    WaitPolicy::parking(),
    WaitPolicy { spin: 0, probe: Duration::from_millis(5), ..WaitPolicy::parking() },
    WaitPolicy::polling(),
];

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// Runs `end` a while after `wait` began; `wait` must end soon.
fn meanwhile(end: impl FnOnce() + Send, wait: impl FnOnce()) {
    std::thread::scope(|scope| {
        let started = Instant::now();
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(30));
            end();
        });
        wait();
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(25) && took < SOON, "{took:?}");
    });
}

#[test]
fn a_reader_of_a_broadcast_ends_its_wait_with_the_writer() {
    for policy in POLICIES {
        let (_region, a, b) = setup();
        let mut writer = a.broadcast_writer::<u32>("all").unwrap();
        let mut reader: BroadcastReader<u32, _> = b.broadcast_reader("all", BroadcastStart::Oldest).unwrap();
        reader.set_wait_policy(policy);
        reader.end_with_writer(true);
        writer.publish(&4);
        assert_eq!(reader.recv_timeout(LONG), Ok(4), "what was published comes first");
        assert_eq!(reader.writer(), PeerStatus::Present);
        meanwhile(
            || a.die(writer),
            || assert_eq!(reader.recv_timeout(LONG), Err(BroadcastRecvError::PeerGone)),
        );
        assert_eq!(reader.writer(), PeerStatus::Dead);
        reader.end_with_writer(false);
        assert_eq!(reader.recv_timeout(SHORT), Err(BroadcastRecvError::TimedOut));
    }
}

#[test]
fn a_listener_ends_its_wait_with_the_notifier() {
    for policy in POLICIES {
        let (_region, a, b) = setup();
        let mut listener = b.listener("bell").unwrap();
        listener.set_wait_policy(policy);
        listener.end_with_notifier(true);
        assert_eq!(listener.wait_timeout(SHORT), None, "one that has not come yet is waited for");
        let mut notifier = a.notifier("bell").unwrap();
        notifier.notify(3);
        assert_eq!(listener.wait_timeout(LONG).unwrap().code, 3);
        assert_eq!(listener.wait_timeout(SHORT), None);
        assert_eq!(listener.notifier(), PeerStatus::Present);
        meanwhile(|| drop(notifier), || assert_eq!(listener.wait_timeout(LONG), None));
        assert_eq!(listener.notifier(), PeerStatus::Absent);
    }
}

#[test]
fn lanes_end_their_wait_with_the_last_producer() {
    for policy in POLICIES {
        let (_region, a, b) = setup();
        let mut steps: TypedLanesConsumer<u32, _, 3> = b.typed_lanes_consumer("steps").unwrap();
        steps.set_wait_policy(policy);
        steps.end_with_peer(true);
        assert_eq!(steps.recv_timeout(SHORT), Err(RecvLanesError::TimedOut), "none has come yet");
        let [mut first, second] = [0, 2].map(|lane| a.typed_lane_producer::<u32>("steps", lane).unwrap());
        first.try_send(&8).unwrap();
        assert_eq!(steps.recv_timeout(LONG).map(|from| from.message), Ok(8));
        drop(first);
        assert_eq!(steps.recv_timeout(SHORT), Err(RecvLanesError::TimedOut), "one is there");
        meanwhile(|| a.die(second), || assert_eq!(steps.recv_timeout(LONG), Err(RecvLanesError::PeerGone)));
        // A successor makes the queue whole again.
        let mut successor = b.typed_lane_producer::<u32>("steps", 2).unwrap();
        successor.try_send(&9).unwrap();
        assert_eq!(steps.recv_timeout(LONG).map(|from| from.message), Ok(9));
        assert_eq!(steps.recv_timeout(SHORT), Err(RecvLanesError::TimedOut));
        drop(successor);
        assert_eq!(steps.recv_timeout(LONG), Err(RecvLanesError::PeerGone));
        steps.end_with_peer(false);
        assert_eq!(steps.recv_timeout(SHORT), Err(RecvLanesError::TimedOut));
    }
}

#[test]
fn lanes_of_frames_end_their_wait_too() {
    let (_region, a, b) = setup();
    let mut lines: LanesConsumer<_, 2> = b.lanes_consumer("lines").unwrap();
    let mut producer = a.lane_producer("lines", 1).unwrap();
    lines.end_with_peer(true);
    producer.try_send(1, b"last").unwrap();
    drop(producer);
    assert_eq!(lines.recv_timeout(&mut [0; 16], LONG).map(|from| from.lane), Ok(1));
    assert_eq!(lines.recv_timeout(&mut [0; 16], LONG), Err(RecvLanesError::PeerGone));
}

/// The last messages are published after the waiter's last look, and before it asks for the producers.
#[test]
fn a_message_just_before_the_end_is_not_lost() {
    let policy = WaitPolicy { spin: 0, probe: Duration::from_secs(1), ..WaitPolicy::parking() };
    let late = |region: &Region, end: Box<dyn FnOnce() + Send>| {
        // The clock is asked for the deadline, for the first probe, before the first spin, and after the first look.
        let mut hooks: VecDeque<Option<Box<dyn FnOnce() + Send>>> = VecDeque::from([None, None, None]);
        hooks.push_back(Some(end));
        *region.hooks.on_clock.lock().unwrap() = hooks;
    };
    let (region, a, b) = setup();
    let mut steps: TypedLanesConsumer<u32, _, 3> = b.typed_lanes_consumer("steps").unwrap();
    let mut tx = a.typed_lane_producer::<u32>("steps", 1).unwrap();
    steps.set_wait_policy(policy);
    steps.end_with_peer(true);
    late(
        &region,
        Box::new(move || {
            tx.try_send(&8).unwrap();
            drop(tx);
            std::thread::sleep(Duration::from_millis(1));
        }),
    );
    assert_eq!(steps.recv_timeout(Duration::from_nanos(1)).map(|from| from.message), Ok(8));
    let mut reader: BroadcastReader<u32, _> = b.broadcast_reader("all", BroadcastStart::Oldest).unwrap();
    let mut writer = a.broadcast_writer::<u32>("all").unwrap();
    reader.set_wait_policy(policy);
    reader.end_with_writer(true);
    late(
        &region,
        Box::new(move || {
            writer.publish(&7);
            drop(writer);
            std::thread::sleep(Duration::from_millis(1));
        }),
    );
    assert_eq!(reader.recv_timeout(Duration::from_nanos(1)), Ok(7));
    assert!(region.hooks.on_clock.lock().unwrap().is_empty(), "all of it has happened");
}

/// Two messages are published each time at another step of a wait in which the producers are asked for all the while.
#[test]
fn messages_that_come_while_the_producers_are_asked_for_are_all_received() {
    let policy = WaitPolicy { spin: 0, probe: Duration::from_nanos(1), ..WaitPolicy::parking() };
    for ends_with_peer in [false, true] {
        for step in 0..12 {
            let at_step = |region: &Region, send: Box<dyn FnOnce() + Send>| {
                let mut hooks: VecDeque<Option<Box<dyn FnOnce() + Send>>> = (0..step).map(|_| None).collect();
                hooks.push_back(Some(send));
                *region.hooks.on_clock.lock().unwrap() = hooks;
            };
            let happened = |region: &Region| region.hooks.on_clock.lock().unwrap().is_empty();
            let (region, a, b) = setup();
            let mut steps: TypedLanesConsumer<u32, _, 3> = b.typed_lanes_consumer("steps").unwrap();
            let mut tx = a.typed_lane_producer::<u32>("steps", 1).unwrap();
            steps.set_wait_policy(policy);
            steps.end_with_peer(ends_with_peer);
            at_step(&region, Box::new(move || [1, 2].iter().for_each(|value| tx.try_send(value).unwrap())));
            assert_eq!(steps.recv_timeout(LONG).map(|from| from.message), Ok(1), "{step}");
            assert!(happened(&region));
            assert_eq!(steps.try_recv().map(|from| from.message), Ok(2), "{step}");

            let mut lines: LanesConsumer<_, 2> = b.lanes_consumer("lines").unwrap();
            let mut tx = a.lane_producer("lines", 1).unwrap();
            lines.set_wait_policy(policy);
            lines.end_with_peer(ends_with_peer);
            at_step(&region, Box::new(move || (1..=2).for_each(|tag| tx.try_send(tag, b"x").unwrap())));
            let tag = |from: FromLane<Received>| from.message.tag;
            assert_eq!(lines.recv_timeout(&mut [0; 16], LONG).map(tag), Ok(1), "{step}");
            assert_eq!(lines.try_recv(&mut [0; 16]).map(tag), Ok(2), "{step}");

            let mut each = b.fanout_consumer::<u32>("each", 0).unwrap();
            let mut tx = a.fanout_producer::<u32>("each").unwrap();
            each.set_wait_policy(policy);
            each.end_with_peer(ends_with_peer);
            at_step(&region, Box::new(move || [1, 2].iter().for_each(|value| tx.try_send(value).unwrap())));
            assert_eq!(each.recv_timeout(LONG), Ok(1), "{step}");
            assert_eq!(each.try_recv(), Ok(2), "{step}");
        }
    }
}

/// Waits for `receiver` beside one whose producer has not come: returned once, for a peer that is gone.
fn ends(b: &Member, receiver: &mut dyn Waitable, end: impl FnOnce() + Send, policy: WaitPolicy) {
    let mut other = b.typed_consumer::<u32>("one").unwrap();
    other.end_with_peer(true);
    let port = b.port();
    let wait = |receiver: &mut dyn Waitable, time| wait_any(port, &mut [&mut other, receiver], policy, time);
    let mut wait = wait;
    assert_eq!(wait(receiver, SHORT), Err(WaitAnyError::TimedOut), "it is there");
    meanwhile(end, || assert_eq!(wait(receiver, LONG), Ok(1)));
    assert_eq!(wait(receiver, SHORT), Err(WaitAnyError::TimedOut), "once");
}

#[test]
fn a_wait_for_any_ends_with_a_peer_of_each_kind() {
    for policy in POLICIES {
        let (_region, a, b) = setup();

        let (tx, mut rx) = (a.producer("log").unwrap(), b.consumer("log").unwrap());
        rx.end_with_peer(true);
        ends(&b, &mut rx, || drop(tx), policy);
        assert_eq!(rx.recv_timeout(&mut [0; 16], Duration::ZERO), Err(RecvError::PeerGone));

        let tx = a.typed_lane_producer::<u32>("steps", 1).unwrap();
        let mut steps: TypedLanesConsumer<u32, _, 3> = b.typed_lanes_consumer("steps").unwrap();
        steps.end_with_peer(true);
        ends(&b, &mut steps, || drop(tx), policy);
        assert_eq!(steps.recv_timeout(Duration::ZERO), Err(RecvLanesError::PeerGone));

        let tx = a.lane_producer("lines", 1).unwrap();
        let mut lines: LanesConsumer<_, 2> = b.lanes_consumer("lines").unwrap();
        lines.end_with_peer(true);
        ends(&b, &mut lines, || drop(tx), policy);

        let writer = a.broadcast_writer::<u32>("all").unwrap();
        let mut reader: BroadcastReader<u32, _> = b.broadcast_reader("all", BroadcastStart::Newest).unwrap();
        reader.end_with_writer(true);
        ends(&b, &mut reader, || drop(writer), policy);
        assert_eq!(reader.recv_timeout(Duration::ZERO), Err(BroadcastRecvError::PeerGone));

        let notifier = a.notifier("bell").unwrap();
        let mut listener = b.listener("bell").unwrap();
        listener.end_with_notifier(true);
        ends(&b, &mut listener, || drop(notifier), policy);

        let writer = a.latest_writer::<u32>("angle").unwrap();
        let mut reader = b.latest_reader::<u32>("angle").unwrap();
        reader.end_with_writer(true);
        ends(&b, &mut reader, || drop(writer), policy);

        let tx = a.fanout_producer::<u32>("each").unwrap();
        let mut rx = b.fanout_consumer::<u32>("each", 0).unwrap();
        rx.end_with_peer(true);
        ends(&b, &mut rx, || a.die(tx), policy);
    }
}

/// A peer that is gone is told once; one that came back, and is gone again, once more.
#[test]
fn a_peer_that_is_gone_again_ends_a_wait_again() {
    let (_region, a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("one").unwrap();
    rx.end_with_peer(true);
    let policy = POLICIES[1];
    for _ in 0..3 {
        let mut tx = a.typed_producer::<u32>("one").unwrap();
        tx.try_send(&5).unwrap();
        assert_eq!(wait_any(b.port(), &mut [&mut rx], policy, LONG), Ok(0));
        assert_eq!(rx.try_recv(), Ok(5));
        assert_eq!(wait_any(b.port(), &mut [&mut rx], policy, SHORT), Err(WaitAnyError::TimedOut));
        drop(tx);
        let ready = wait_ready(b.port(), &mut [&mut rx], policy, LONG).unwrap();
        assert_eq!(ready.collect::<Vec<_>>(), [0]);
        assert_eq!(wait_any(b.port(), &mut [&mut rx], policy, SHORT), Err(WaitAnyError::TimedOut));
    }
}

#[test]
fn tasks_are_told_too() {
    let (_region, a, b) = setup();
    let context = &mut Context::from_waker(Waker::noop());
    let mut steps: TypedLanesConsumer<u32, _, 3> = b.typed_lanes_consumer("steps").unwrap();
    let tx = a.typed_lane_producer::<u32>("steps", 1).unwrap();
    steps.end_with_peer(true);
    {
        let mut future = pin!(steps.recv());
        assert!(future.as_mut().poll(context).is_pending());
        drop(tx);
        // The port's timer has the task polled at the probe period.
        assert_eq!(future.poll(context), Poll::Ready(Err(RecvLanesError::PeerGone)));
    }
    {
        let mut reader = b.latest_reader::<u32>("angle").unwrap();
        let mut writer = a.latest_writer::<u32>("angle").unwrap();
        reader.end_with_writer(true);
        {
            let mut future = pin!(reader.changed());
            assert!(future.as_mut().poll(context).is_pending());
            writer.publish(&4);
            drop(writer);
            assert_eq!(future.poll(context), Poll::Ready(Ok(4)), "what was published comes first");
        }
        assert_eq!(pin!(reader.changed()).poll(context), Poll::Ready(Err(ChangeError::PeerGone)));
    }
    {
        let mut listener = b.listener("bell").unwrap();
        let notifier = a.notifier("bell").unwrap();
        listener.end_with_notifier(true);
        let mut future = pin!(listener.wait());
        assert!(future.as_mut().poll(context).is_pending());
        drop(notifier);
        assert_eq!(future.poll(context), Poll::Ready(Err(ChangeError::PeerGone)));
    }
    let mut reader: BroadcastReader<u32, _> = b.broadcast_reader("all", BroadcastStart::Newest).unwrap();
    let writer = a.broadcast_writer::<u32>("all").unwrap();
    reader.end_with_writer(true);
    let mut future = pin!(reader.recv());
    assert!(future.as_mut().poll(context).is_pending());
    a.die(writer);
    assert_eq!(future.poll(context), Poll::Ready(Err(BroadcastRecvError::PeerGone)));
}
