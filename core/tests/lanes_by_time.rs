//! Receiving from lanes in the order of time stamps: all kinds, what is held and for how long, lies, and damage.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::common::rng::Rng;
use crate::common::{Region, TestPort};
use strait_core::format::ValueType;
use strait_core::{
    Attachment, Channel, LanesConsumer, LanesOptions, Plan, RecvLanesError, Stamp, TimeOrder,
    TryRecvLanesError, TypedLanesConsumer, TypedProducer, Violation, WaitPolicy,
};

strait_core::message! {
    /// A line of a log.
    struct Line { code: u32, lane: u32, time: u64 }
}

const STAMP: Stamp = Stamp::field::<Line>("time");
const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 512, 64).producers(3).consumer_may_block(),
    Channel::slots::<Line>("slots", 8).producers(3).consumer_may_block().urgent_lanes(1),
    Channel::compact::<Line>("compact", 8).producers(3).consumer_may_block(),
])
.line(4)
.participants(6);
const VALUES: [&str; 2] = ["slots", "compact"];

type Tx = TypedProducer<Line, TestPort>;
type Rx = TypedLanesConsumer<Line, TestPort, 3>;

fn producers(member: &Attachment<TestPort>, name: &str) -> [Tx; 3] {
    [0, 1, 2].map(|lane| member.typed_lane_producer(name, lane).unwrap())
}

fn send(tx: &mut Tx, lane: u32, time: u64) {
    tx.try_send(&Line { code: 7, lane, time }).unwrap();
}

/// The stamps that come without waiting.
fn stamps(rx: &mut Rx, order: &mut TimeOrder<3>) -> Vec<u64> {
    std::iter::from_fn(|| match rx.try_recv_by_time(order) {
        Ok(from) => {
            assert_eq!((from.lane, from.message.code), (from.message.lane, 7));
            Some(from.message.time)
        }
        Err(error) => {
            assert_eq!(error, TryRecvLanesError::Empty);
            None
        }
    })
    .collect()
}

#[test]
fn a_stamp_is_found_in_its_field() {
    assert_eq!(STAMP, Stamp::at(8));
    for name in ["code", "lan", "times", ""] {
        assert!(std::panic::catch_unwind(|| Stamp::field::<Line>(name)).is_err(), "{name}");
    }
    assert!(std::panic::catch_unwind(|| Stamp::field::<u64>("time")).is_err());
}

#[test]
fn values_come_in_the_order_of_their_stamps() {
    let mut rng = Rng::new(13);
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut txs = producers(&member, name);
        let mut rx: Rx = member.typed_lanes_consumer(name).unwrap();
        let mut order = TimeOrder::new(STAMP);
        // Rounds, so that the rings wrap.
        for round in 0..20 {
            let mut all = Vec::new();
            for (lane, tx) in (0..).zip(&mut txs) {
                let mut time = round * 1000;
                for _ in 0..rng.below(9) {
                    time += rng.below(5) as u64;
                    send(tx, lane, time);
                    all.push(time);
                }
            }
            all.sort_unstable();
            assert_eq!(stamps(&mut rx, &mut order), all, "{name}, round {round}");
        }
    }
}

#[test]
fn frames_come_in_the_order_of_their_stamps_and_short_ones_at_once() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut txs = [0, 1, 2].map(|lane| member.lane_producer("frames", lane).unwrap());
    let mut rx: LanesConsumer<_, 3> = member.lanes_consumer("frames").unwrap();
    let mut order = TimeOrder::new(Stamp::at(4));
    let mut send = |lane: usize, time: u64| {
        let mut frame = [0; 20];
        frame[4..12].copy_from_slice(&time.to_le_bytes());
        txs[lane].try_send(time as u32, &frame).unwrap();
    };
    // Two laps of the ring.
    for round in 0..20 {
        for (lane, time) in [(0, 5), (0, 6), (1, 3), (2, 4)] {
            send(lane, 10 * round + time);
        }
        let mut buffer = [0; 64];
        let got = [(); 4].map(|()| rx.try_recv_by_time(&mut order, &mut buffer).unwrap().message.tag);
        assert_eq!(got, [3, 4, 5, 6].map(|time| 10 * round as u32 + time));
    }
    txs[0].try_send(1, &[9; 11]).unwrap();
    txs[1].try_send(2, &[0; 12]).unwrap();
    txs[2].try_send(3, &[]).unwrap();
    let mut small = [0; 10];
    let too_small = Err(TryRecvLanesError::TooSmall { lane: 0, needed: 11 });
    assert_eq!(rx.try_recv_by_time(&mut order, &mut small), too_small);
    let mut buffer = [0; 64];
    let got = [(); 3].map(|()| rx.try_recv_by_time(&mut order, &mut buffer).unwrap().message.tag);
    assert_eq!(got, [1, 2, 3]);
}

#[test]
fn values_of_a_type_known_at_run_time_are_the_same() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut txs = producers(&member, "slots");
    let values = ValueType::of::<Line>();
    let mut rx: TypedLanesConsumer<[u8], _, 3> =
        member.typed_lanes_consumer_of("slots", values, LanesOptions::new()).unwrap();
    let mut order = TimeOrder::new(STAMP);
    send(&mut txs[0], 0, 20);
    send(&mut txs[2], 2, 10);
    let mut line = [0; 16];
    assert_eq!(rx.try_recv_into_by_time(&mut order, &mut line), Ok(2));
    assert_eq!(line[8..], 10_u64.to_le_bytes());
    assert_eq!(rx.recv_into_by_time_timeout(&mut order, &mut line, Duration::from_secs(9)), Ok(0));
    assert_eq!(rx.try_recv_into_by_time(&mut order, &mut line), Err(TryRecvLanesError::Empty));
    // A stamp that is not all inside a value has zeros there.
    let mut order = TimeOrder::new(Stamp::at(u32::MAX));
    send(&mut txs[0], 0, 5);
    assert_eq!(rx.try_recv_into_by_time(&mut order, &mut line), Ok(0));
}

#[test]
fn fault_116_an_empty_lane_holds_up_nobody_unless_the_user_wants_that() {
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        let [mut zero, mut one, mut two] = producers(&member, name);
        let mut rx: Rx = member.typed_lanes_consumer(name).unwrap();
        send(&mut one, 1, 50);
        assert_eq!(stamps(&mut rx, &mut TimeOrder::new(STAMP)), [50]);

        // Held, until the others have said as much.
        let mut order = TimeOrder::new(STAMP).hold(Duration::from_secs(3600));
        send(&mut one, 1, 60);
        assert_eq!(stamps(&mut rx, &mut order), []);
        send(&mut zero, 0, 55);
        assert_eq!(stamps(&mut rx, &mut order), []);
        send(&mut two, 2, 60);
        // Lane 0 has said 55 alone, but both others wait: 55 is certain, and 60 is not.
        assert_eq!(stamps(&mut rx, &mut order), [55]);
        let waited = rx.recv_by_time_timeout(&mut order, Duration::from_millis(1));
        assert_eq!(waited.err(), Some(RecvLanesError::TimedOut));
        send(&mut zero, 0, 61);
        assert_eq!(stamps(&mut rx, &mut order), [60, 60]);
        // What is there and held is no loss: it comes to whoever asks for it otherwise.
        assert_eq!(rx.try_recv().unwrap().message.time, 61);
    }
}

#[test]
fn what_is_held_comes_when_its_time_is_over() {
    const HOLD: Duration = Duration::from_millis(20);
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        let [_zero, mut one, two] = producers(&member, name);
        // Nobody comes to lane 2 any more.
        drop(two);
        let mut rx: Rx = member.typed_lanes_consumer(name).unwrap();
        let mut order = TimeOrder::new(STAMP).hold(HOLD);
        let start = Instant::now();
        let sender = std::thread::spawn(move || send(&mut one, 1, u64::MAX));
        let got = rx.recv_by_time_timeout(&mut order, Duration::from_secs(3600)).unwrap();
        assert_eq!((got.lane, got.message.time), (1, u64::MAX));
        assert!(start.elapsed() >= HOLD);
        sender.join().unwrap();
        let waited = rx.recv_by_time_timeout(&mut order, Duration::from_millis(1));
        assert_eq!(waited.err(), Some(RecvLanesError::TimedOut));
    }
}

#[test]
fn a_wait_sleeps_just_as_long_as_what_is_there_is_held() {
    const HOLD: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);
    let region = Region::new(&PLAN);
    let member = region.join();
    let [_zero, mut one, _two] = producers(&member, "slots");
    let mut rx: Rx = member.typed_lanes_consumer("slots").unwrap();
    rx.set_wait_policy(WaitPolicy { spin: 0, park: true, probe: LONG });
    let mut order = TimeOrder::new(STAMP).hold(HOLD);
    let start = Instant::now();
    send(&mut one, 1, 5);
    assert_eq!(rx.recv_by_time_timeout(&mut order, LONG).unwrap().message.time, 5);
    assert!(start.elapsed() >= HOLD && start.elapsed() < LONG / 3);
    assert!(region.counts.sleeps.load(Relaxed) > 0);
    send(&mut one, 1, 6);
    let mut order = TimeOrder::new(STAMP).hold(LONG);
    let start = Instant::now();
    let waited = rx.recv_by_time_timeout(&mut order, HOLD);
    assert_eq!(waited.err(), Some(RecvLanesError::TimedOut));
    assert!(start.elapsed() < LONG / 3);
}

#[test]
fn fault_116_stamps_that_lie_change_the_order_within_the_bound() {
    for name in VALUES {
        let region = Region::new(&PLAN);
        let member = region.join();
        let [mut honest, mut liar, mut far] = producers(&member, name);
        let mut rx: Rx = member.typed_lanes_consumer(name).unwrap();
        let mut order = TimeOrder::new(STAMP).passes(5);
        send(&mut honest, 0, 100);
        send(&mut far, 2, u64::MAX);
        // One lane says 0 for ever, faster than it is received from.
        let mut got = Vec::new();
        for _ in 0..8 {
            while liar.try_send(&Line { code: 7, lane: 1, time: 0 }).is_ok() {}
            got.push(rx.try_recv_by_time(&mut order).unwrap().lane);
        }
        assert_eq!(got, [1, 1, 1, 1, 1, 0, 2, 1], "{name}");

        // Unless set, the bound is what the lanes take together.
        let mut order = TimeOrder::new(STAMP);
        send(&mut honest, 0, 100);
        let mut before = 0;
        while rx.try_recv_by_time(&mut order).unwrap().lane != 0 {
            before += 1;
            assert!(before <= 24);
            while liar.try_send(&Line { code: 7, lane: 1, time: 0 }).is_ok() {}
        }
        assert_eq!(before, 24);
    }
}

#[test]
fn a_damaged_lane_is_reported_once_and_holds_up_nobody() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let [mut zero, mut one, mut two] = producers(&member, "slots");
    let mut rx: Rx = member.typed_lanes_consumer("slots").unwrap();
    let mut order = TimeOrder::new(STAMP).hold(Duration::from_secs(3600));
    let entry = region.look().channels().filter(|entry| entry.name() == Some("slots")).nth(1).unwrap();
    send(&mut one, 1, 5);
    region.poke(entry.data + entry.stride - 4, 77_777);
    send(&mut zero, 0, 10);
    send(&mut two, 2, 20);
    let fault = TryRecvLanesError::Fault { lane: 1, violation: Violation::Sequence };
    assert_eq!(rx.try_recv_by_time(&mut order).err(), Some(fault));
    assert_eq!(stamps(&mut rx, &mut order), [10]);
    send(&mut zero, 0, 30);
    assert_eq!(stamps(&mut rx, &mut order), [20]);
}

#[test]
fn nothing_is_lost_by_changing_between_orders() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut txs = producers(&member, "slots");
    let mut rx: Rx = member.typed_lanes_consumer("slots").unwrap();
    let mut order = TimeOrder::new(STAMP);
    for (lane, tx) in (0..).zip(&mut txs) {
        (1..=4).for_each(|n| send(tx, lane, 10 * n + u64::from(lane)));
    }
    let mut got = Vec::new();
    for turn in 0..12 {
        let from = if turn % 2 == 0 { rx.try_recv_by_time(&mut order) } else { rx.try_recv() };
        got.push(from.unwrap().message.time);
    }
    got.sort_unstable();
    assert_eq!(got, [10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42]);
}
