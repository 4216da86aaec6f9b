//! Lanes whose consumer takes messages in the order of their stamps.

use core::time::Duration;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, Channel, Plan, RecvLanesError, Stamp, TimeOrder, TryRecvLanesError, TypedLanesConsumer,
    TypedProducer,
};

use crate::models;
use crate::search::{Search, up_to};
use crate::waiting::{PROBE, now};

models! {
    "what_is_sent_later_comes_later/slots" => what_is_sent_later_comes_later(up_to(3).quick(2), "s", [0, 1, 2]),
    "what_is_sent_later_comes_later/slots_back" =>
        what_is_sent_later_comes_later(up_to(3).quick(2), "s", [2, 1, 0]),
    "what_is_sent_later_comes_later/compact" =>
        what_is_sent_later_comes_later(up_to(3).quick(2), "c", [0, 1, 2]),
    "two_threads_send/slots" => two_threads_send(up_to(3).quick(2), "s"),
    "a_dead_producer_holds_nobody_up/slots" => a_dead_producer_holds_nobody_up(up_to(2), "s"),
    "a_dead_producer_holds_nobody_up/compact" => a_dead_producer_holds_nobody_up(up_to(2), "c"),
}

type Tx = TypedProducer<u64, Port>;
type Rx = TypedLanesConsumer<u64, Port, 3>;

/// Two queues of stamps with three producers each.
const PLAN: Plan<'static> = Plan::new(&[
    Channel::slots::<u64>("s", 1).producers(3).consumer_may_block(),
    Channel::compact::<u64>("c", 1).producers(3).consumer_may_block(),
])
.line(8)
.participants(5);

/// All of a value is its stamp.
const ORDER: TimeOrder<3> = TimeOrder::new(Stamp::at(0));

fn tx(at: &Attachment<Port>, name: &str, lane: u32) -> Tx {
    at.typed_lane_producer(name, lane).expect("its owner is dead or has given it back")
}

/// The stamps that come in so many calls.
fn received(rx: &mut Rx, order: &mut TimeOrder<3>, calls: u32) -> Vec<u64> {
    let mut stamps = Vec::new();
    for _ in 0..calls {
        match rx.try_recv_by_time(order) {
            Ok(from) => stamps.push(from.message),
            Err(error) => assert_eq!(error, TryRecvLanesError::Empty),
        }
    }
    stamps
}

/// One message is sent after another one into another lane, and so on: they come in that order, although the lanes are
/// looked at one after the other. Up to three preemptions.
///
/// ```text
///   producers                            consumer
///   publish 1 in lane a                  nothing in 0, nothing in 1, 3 in 2
///   publish 2 in lane b                  1 in 0, since 3 was seen; 2 in 1
///   publish 3 in lane c                  take 1
/// ```
fn what_is_sent_later_comes_later(search: Search, name: &'static str, lanes: [u32; 3]) {
    search.check(move || {
        let region = Region::new(&PLAN);
        let at = region.join();
        let mut rx: Rx = region.join().typed_lanes_consumer(name).unwrap();
        let mut txs = lanes.map(|lane| tx(&at, name, lane));
        let sending = thread::spawn(move || {
            for (tx, stamp) in txs.iter_mut().zip(1..) {
                tx.try_send(&stamp).unwrap();
            }
        });
        let mut order = ORDER;
        let mut got = received(&mut rx, &mut order, 2);
        sending.join().unwrap();
        got.extend(received(&mut rx, &mut order, 3));
        assert_eq!(got, [1, 2, 3]);
    });
}

/// Two producers send, one into two lanes; the order of each holds, and nothing is lost. Up to three preemptions.
///
/// ```text
///   producer           producer           consumer
///   publish 2 in 1     publish 1 in 2     looks at all, twice
///   publish 3 in 0                        takes the oldest
/// ```
fn two_threads_send(search: Search, name: &'static str) {
    search.check(move || {
        let region = Region::new(&PLAN);
        let at = region.join();
        let mut rx: Rx = region.join().typed_lanes_consumer(name).unwrap();
        let (mut one, mut zero, mut two) = (tx(&at, name, 1), tx(&at, name, 0), tx(&at, name, 2));
        let both = thread::spawn(move || {
            one.try_send(&2).unwrap();
            zero.try_send(&3).unwrap();
        });
        let other = thread::spawn(move || two.try_send(&1).unwrap());
        let mut order = ORDER;
        let mut got = received(&mut rx, &mut order, 1);
        both.join().unwrap();
        other.join().unwrap();
        got.extend(received(&mut rx, &mut order, 3));
        let place = |stamp| got.iter().position(|&got| got == stamp).unwrap();
        assert!(place(2) < place(3), "{got:?}");
        got.sort_unstable();
        assert_eq!(got, [1, 2, 3]);
    });
}

/// A producer dies anywhere from its claim on, and another says nothing. What waits in the third lane is held for the time
/// that the consumer set, and no longer; what the dead one has published comes too. Up to two preemptions.
///
/// ```text
///   producer 0                           consumer
///   claim, publish 5, ...                10 in lane 1: held
///   (killed somewhere here)              asleep until that has been held long enough
///                                        take 5 if it is there, take 10
/// ```
fn a_dead_producer_holds_nobody_up(search: Search, name: &'static str) {
    const HOLD: Duration = PROBE;
    search.each_death(move |death| {
        let region = Region::time_passes(&PLAN);
        let (at, there) = (region.join(), region.join());
        let mut rx: Rx = there.typed_lanes_consumer(name).unwrap();
        tx(&there, name, 1).try_send(&10).unwrap();
        let dying =
            thread::spawn(move || death.run(at.port(), || tx(&at, name, 0).try_send(&5).unwrap()).is_ok());
        let mut order = ORDER.hold(HOLD);
        let start = now(there.port());
        let first = rx.recv_by_time_timeout(&mut order, 4 * HOLD).unwrap().message;
        let took = now(there.port()) - start;
        assert!(took <= 2 * HOLD, "{first} was held for {took:?}");
        let lived = dying.join().unwrap();
        let second = rx.recv_by_time_timeout(&mut order, 4 * HOLD).map(|from| from.message);
        match (first, second) {
            (5, Ok(10)) | (10, Ok(5)) => {}
            (10, Err(error)) => assert!(!lived && error == RecvLanesError::TimedOut),
            other => panic!("{other:?}"),
        }
    });
}
