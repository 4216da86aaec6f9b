//! Batches and peeks of lanes: turns, damage, and a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::common::{Region, TestPort};
use strait_core::{
    Channel, LanesConsumer, LanesOptions, Plan, Producer, TryRecvLanesError, TypedLanesConsumer,
    TypedProducer, Violation,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 256, 32).producers(3),
    Channel::slots::<u32>("slots", 8).producers(3),
    Channel::compact::<u32>("compact", 8).producers(3).urgent_lanes(1),
])
.line(4)
.participants(6);

type Values = TypedLanesConsumer<u32, TestPort, 3>;

fn producers(region: &Region, name: &str) -> [TypedProducer<u32, TestPort>; 3] {
    let member = region.join();
    [0, 1, 2].map(|lane| member.typed_lane_producer(name, lane).unwrap())
}

fn consumer(region: &Region, name: &str, burst: u32) -> Values {
    region.join().typed_lanes_consumer_with(name, LanesOptions::new().burst(burst)).unwrap()
}

fn batch(rx: &mut Values, max: usize) -> Result<Vec<(u32, u32)>, TryRecvLanesError> {
    let mut got = Vec::new();
    let count = rx.recv_batch(max, |from| got.push((from.lane, from.message)))?;
    assert_eq!(count, got.len());
    Ok(got)
}

#[test]
fn a_batch_takes_the_turns_that_single_receives_take() {
    for (name, burst) in [("slots", 1), ("slots", 2), ("slots", 16), ("compact", 1), ("compact", 3)] {
        let region = Region::new(&PLAN);
        let mut txs = producers(&region, name);
        let mut rx = consumer(&region, name, burst);
        let mut fill = || {
            for (lane, tx) in (0..).zip(&mut txs) {
                (0..3 + lane).for_each(|n| tx.try_send(&(10 * lane + n)).unwrap());
            }
        };
        fill();
        let single: Vec<_> =
            std::iter::from_fn(|| rx.try_recv().ok().map(|from| (from.lane, from.message))).collect();
        assert_eq!(single.len(), 12);
        drop(rx);
        let mut rx = consumer(&region, name, burst);
        assert_eq!(batch(&mut rx, 4), Err(TryRecvLanesError::Empty));
        fill();
        assert_eq!(batch(&mut rx, 0), Ok(vec![]));
        let mut got = batch(&mut rx, 5).unwrap();
        assert_eq!(got.len(), 5);
        got.extend(batch(&mut rx, 100).unwrap());
        assert_eq!(got, single, "{name} {burst}");
        assert!(rx.is_empty() && (0..3).all(|lane| rx.len(lane) == 0));
    }
}

#[test]
fn a_fault_behind_others_is_returned_by_the_next_batch_and_once() {
    let region = Region::new(&PLAN);
    let mut txs = producers(&region, "slots");
    let mut rx = consumer(&region, "slots", 4);
    let entry = region.look().lane("slots", 1).unwrap();
    region.poke(entry.data + entry.stride - 4, 77_777);
    txs[0].try_send(&1).unwrap();
    txs[2].try_send(&2).unwrap();
    assert_eq!(batch(&mut rx, 9), Ok(vec![(0, 1)]));
    assert!(matches!(
        batch(&mut rx, 9),
        Err(TryRecvLanesError::Fault { lane: 1, violation: Violation::Sequence })
    ));
    assert_eq!(batch(&mut rx, 9), Ok(vec![(2, 2)]));
    txs[0].try_send(&3).unwrap();
    assert_eq!(batch(&mut rx, 9), Ok(vec![(0, 3)]));
    assert_eq!(batch(&mut rx, 9), Err(TryRecvLanesError::Empty));
}

#[test]
fn a_panic_over_a_value_leaves_it_next() {
    let region = Region::new(&PLAN);
    let mut txs = producers(&region, "slots");
    let mut rx = consumer(&region, "slots", 4);
    (1..4).for_each(|n| txs[1].try_send(&n).unwrap());
    let panicked = catch_unwind(AssertUnwindSafe(|| rx.recv_batch(9, |from| assert_ne!(from.message, 2))));
    assert!(panicked.is_err());
    assert_eq!(batch(&mut rx, 9), Ok(vec![(1, 2), (1, 3)]));
}

fn frames(region: &Region) -> ([Producer<TestPort>; 3], LanesConsumer<TestPort, 3>) {
    let member = region.join();
    let options = LanesOptions::new().burst(2);
    (
        [0, 1, 2].map(|lane| member.lane_producer("frames", lane).unwrap()),
        region.join().lanes_consumer_with("frames", options).unwrap(),
    )
}

#[test]
fn frames_are_shown_in_place_with_their_lanes() {
    let region = Region::new(&PLAN);
    let (mut txs, mut rx) = frames(&region);
    assert_eq!(rx.peek().err(), Some(TryRecvLanesError::Empty));
    assert_eq!(rx.recv_batch(3, |_| ()).err(), Some(TryRecvLanesError::Empty));
    (0..3).for_each(|n| txs[0].try_send(n, &[n as u8; 5]).unwrap());
    (0..3).for_each(|n| txs[2].try_send(10 + n, b"").unwrap());
    let mut got = Vec::new();
    let mut show = |rx: &mut LanesConsumer<TestPort, 3>, max| {
        rx.recv_batch(max, |from| {
            let (info, mut bytes) = (from.message.info(), [9; 5]);
            from.message.copy_from(0, &mut bytes);
            assert!(info.len == 0 || bytes == [info.tag as u8; 5]);
            got.push((from.lane, info.tag));
        })
    };
    assert_eq!((show(&mut rx, 3), show(&mut rx, 9)), (Ok(3), Ok(3)));
    assert_eq!(got, [(0, 0), (0, 1), (2, 10), (2, 11), (0, 2), (2, 12)]);
}

/// A peek that is dropped changes nothing but the turn: every frame comes, once, and in its lane's order.
#[test]
fn a_dropped_peek_loses_nothing() {
    let region = Region::new(&PLAN);
    let (mut txs, mut rx) = frames(&region);
    for lane in [0, 1] {
        (0..3).for_each(|n| txs[lane].try_send(10 * lane as u32 + n, b"x").unwrap());
    }
    let mut got = Vec::new();
    for turn in 0..20 {
        match rx.peek() {
            Ok(from) if turn % 3 == 0 => {
                got.push((from.lane, from.message.info().tag));
                from.message.release();
            }
            Ok(_) => {}
            Err(error) => assert_eq!(error, TryRecvLanesError::Empty),
        }
    }
    for lane in [0, 1] {
        let of_lane: Vec<_> = got.iter().filter(|from| from.0 == lane).map(|from| from.1).collect();
        assert_eq!(of_lane, [0, 1, 2].map(|n| 10 * lane + n));
    }
    // What was received and is in use is released by a peek, as by any call.
    txs[0].try_send(1, b"y").unwrap();
    rx.try_recv(&mut [0; 8]).unwrap();
    assert!(rx.peek().is_err());
    drop(rx);
    let mut heir: LanesConsumer<_, 3> = region.join().lanes_consumer("frames").unwrap();
    assert_eq!(heir.try_recv(&mut [0; 8]), Err(TryRecvLanesError::Empty));
}
