//! A wait that is to end with the other side: when it is dead or has left, at the probe period, and never
//! before the last message.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::common::{Member, Region};
use strait_core::{Channel, PeerStatus, Plan, Reading, RecvError, SendError, WaitPolicy};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 64, 16).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 1).consumer_may_block().producer_may_block(),
    Channel::compact::<u32>("polled", 1),
    Channel::latest::<u32>("latest").consumer_may_block(),
])
.line(4)
.participants(4);

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// Much shorter, and much longer than anything should take.
const SOON: Duration = Duration::from_secs(20);

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
fn a_wait_for_a_message_ends_when_the_producer_is_dead() {
    for policy in POLICIES {
        let (_region, a, b) = setup();
        let (tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
        rx.set_wait_policy(policy);
        rx.end_with_peer(true);
        meanwhile(|| a.die(tx), || assert_eq!(rx.recv_timeout(&mut [0; 16], LONG), Err(RecvError::PeerGone)));
        assert_eq!(rx.peer(), PeerStatus::Dead);
    }
}

#[test]
fn a_wait_for_a_message_ends_when_the_producer_has_left() {
    for (policy, name) in POLICIES.into_iter().flat_map(|policy| [(policy, "slots"), (policy, "polled")]) {
        let (_region, a, b) = setup();
        let (tx, mut rx) = (a.typed_producer::<u32>(name).unwrap(), b.typed_consumer::<u32>(name).unwrap());
        rx.set_wait_policy(policy);
        rx.end_with_peer(true);
        meanwhile(|| drop(tx), || assert_eq!(rx.recv_timeout(LONG), Err(RecvError::PeerGone)));
        // A successor makes the queue whole again.
        a.typed_producer::<u32>(name).unwrap().try_send(&3).unwrap();
        assert_eq!(rx.recv_timeout(LONG), Ok(3));
    }
}

#[test]
fn a_wait_for_space_ends_with_the_consumer() {
    for policy in POLICIES {
        let (_region, a, b) = setup();
        let (mut tx, rx) =
            (a.typed_producer::<u32>("slots").unwrap(), b.typed_consumer::<u32>("slots").unwrap());
        tx.set_wait_policy(policy);
        tx.end_with_peer(true);
        tx.try_send(&1).unwrap();
        meanwhile(|| b.die(rx), || assert_eq!(tx.send_timeout(&2, LONG), Err(SendError::PeerGone)));
        let (mut tx, rx) = (a.producer("frames").unwrap(), a.consumer("frames").unwrap());
        tx.set_wait_policy(policy);
        tx.end_with_peer(true);
        tx.try_send(1, &[0; 16]).unwrap();
        meanwhile(|| drop(rx), || assert_eq!(tx.send_timeout(2, &[0; 16], LONG), Err(SendError::PeerGone)));
    }
}

#[test]
fn what_was_sent_comes_first() {
    let (_region, a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("slots").unwrap();
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    rx.end_with_peer(true);
    tx.try_send(&7).unwrap();
    a.die(tx);
    assert_eq!(rx.recv_timeout(LONG), Ok(7));
    assert_eq!(rx.recv_timeout(LONG), Err(RecvError::PeerGone));
}

/// The last message is published after the waiter's last look, and before it asks for the producer.
#[test]
fn a_message_just_before_the_end_is_not_lost() {
    let (region, a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("polled").unwrap();
    let mut tx = a.typed_producer::<u32>("polled").unwrap();
    rx.set_wait_policy(WaitPolicy { spin: 0, probe: Duration::from_secs(1), ..WaitPolicy::parking() });
    rx.end_with_peer(true);
    let mut hooks: std::collections::VecDeque<Option<Box<dyn FnOnce() + Send>>> = Default::default();
    // The clock is asked for the deadline, for the first probe, before the first spin, and after the first look.
    hooks.extend([None, None, None]);
    hooks.push_back(Some(Box::new(move || {
        tx.try_send(&8).unwrap();
        drop(tx);
        std::thread::sleep(Duration::from_millis(1));
    })));
    *region.hooks.on_clock.lock().unwrap() = hooks;
    assert_eq!(rx.recv_timeout(Duration::from_nanos(1)), Ok(8));
    assert!(region.hooks.on_clock.lock().unwrap().is_empty(), "all of it has happened");
}

#[test]
fn a_peer_that_has_not_come_yet_is_waited_for() {
    let (_region, a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("slots").unwrap();
    rx.set_wait_policy(POLICIES[1]);
    rx.end_with_peer(true);
    assert_eq!(rx.recv_timeout(Duration::from_millis(40)), Err(RecvError::TimedOut));
    let mut tx = None;
    meanwhile(
        || {
            let mut producer = a.typed_producer::<u32>("slots").unwrap();
            producer.try_send(&1).unwrap();
            tx = Some(producer);
        },
        || assert_eq!(rx.recv_timeout(LONG), Ok(1)),
    );
    assert_eq!(rx.recv_timeout(Duration::from_millis(40)), Err(RecvError::TimedOut), "it is there");
    drop(tx);
    assert_eq!(rx.recv_timeout(LONG), Err(RecvError::PeerGone), "it was there");
}

#[test]
fn a_wait_that_is_not_asked_to_goes_on() {
    let (region, a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("slots").unwrap();
    rx.set_wait_policy(POLICIES[1]);
    let tx = a.typed_producer::<u32>("slots").unwrap();
    a.die(tx);
    rx.end_with_peer(true);
    rx.end_with_peer(false);
    let probes = region.counts.probes.load(Relaxed);
    assert_eq!(rx.recv_timeout(Duration::from_millis(40)), Err(RecvError::TimedOut));
    assert_eq!(region.counts.probes.load(Relaxed), probes, "nobody asks");
}

#[test]
fn a_wait_for_a_change_ends_with_the_writer() {
    for policy in POLICIES {
        let (_region, a, b) = setup();
        let mut writer = a.latest_writer::<u32>("latest").unwrap();
        let mut reader = b.latest_reader::<u32>("latest").unwrap();
        writer.publish(&4);
        reader.set_wait_policy(policy);
        reader.end_with_writer(true);
        assert_eq!(reader.wait_for_change(LONG), Reading::Fresh(4));
        assert_eq!(reader.writer(), PeerStatus::Present);
        meanwhile(|| a.die(writer), || assert_eq!(reader.wait_for_change(LONG), Reading::Stale(4)));
        assert_eq!(reader.writer(), PeerStatus::Dead);
    }
}

#[test]
fn a_task_is_told_too() {
    let (_region, a, b) = setup();
    let (tx, mut rx) = (a.typed_producer::<u32>("slots").unwrap(), b.typed_consumer::<u32>("slots").unwrap());
    rx.end_with_peer(true);
    let context = &mut Context::from_waker(Waker::noop());
    let mut future = pin!(rx.recv());
    assert!(future.as_mut().poll(context).is_pending());
    drop(tx);
    // The port's timer has the task polled at the probe period.
    assert_eq!(future.poll(context), Poll::Ready(Err(RecvError::PeerGone)));
    let (mut tx, rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    tx.try_send(1, &[0; 16]).unwrap();
    tx.end_with_peer(true);
    let mut future = pin!(tx.send(2, &[0; 16]));
    assert!(future.as_mut().poll(context).is_pending());
    b.die(rx);
    assert_eq!(future.poll(context), Poll::Ready(Err(SendError::PeerGone)));
}
