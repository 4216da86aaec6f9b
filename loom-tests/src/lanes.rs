//! Queues with several producers: one lane each, and one consumer.

use strait_core::model::loom::thread::{self, JoinHandle};
use strait_core::model::{Port, Region};
use strait_core::{
    Attachment, Channel, ChannelError, ConsumerOptions, FromLane, LanesOptions, Plan, RecvLanesError,
    TryRecvLanesError, TrySendError, TypedLanesConsumer, TypedProducer,
};

use crate::models;
use crate::search::{ALL, Search, up_to};
use crate::waiting::{LONG, PROBE, now};

models! {
    "two_send_while_it_parks/slots_1" => two_send_while_it_parks(up_to(3).quick(2), &SLOTS_1),
    "two_send_while_it_parks/compact_1" => two_send_while_it_parks(up_to(3).quick(2), &COMPACT_1),
    "one_dies_and_another_sends/slots_1" => one_dies_and_another_sends(up_to(2), &SLOTS_1),
    "one_dies_and_another_sends/compact_1" => one_dies_and_another_sends(up_to(2), &COMPACT_1),
    "a_lane_is_taken_over/slots_2" => a_lane_is_taken_over(ALL, &SLOTS_2),
    "a_lane_is_taken_over/compact_2" => a_lane_is_taken_over(ALL, &COMPACT_2),
    "consumer_dies/slots_2" => consumer_dies(ALL, &SLOTS_2, 1, 1),
    "consumer_dies/compact_2" => consumer_dies(ALL, &COMPACT_2, 1, 1),
    "consumer_dies/slots_8_lazy" => consumer_dies(ALL, &SLOTS_8, 2, 1),
    "consumer_dies/slots_2_turn" => consumer_dies(ALL, &SLOTS_2, 1, 2),
    "consumer_dies/slots_8_turn" => consumer_dies(ALL, &SLOTS_8, 2, 2),
    "the_role_is_one/slots_1" => the_role_is_one(ALL),
    "claimers_die/slots_1" => claimers_die(),
    "senders_of_one_name/slots_1" => senders_of_one_name(up_to(3)),
}

type Value = [u32; 2];
type Tx = TypedProducer<Value, Port>;
type Rx = TypedLanesConsumer<Value, Port, 2>;

/// A plan with one queue, `q`, that two producers share, and whose consumer may sleep.
macro_rules! plan {
    ($name:ident, $kind:ident, $slots:literal) => {
        const $name: Plan<'static> =
            Plan::new(&[Channel::$kind::<Value>("q", $slots).producers(2).consumer_may_block()])
                .line(4)
                .participants(5);
    };
}

plan!(SLOTS_1, slots, 1);
plan!(SLOTS_2, slots, 2);
plan!(SLOTS_8, slots, 8);
plan!(COMPACT_1, compact, 1);
plan!(COMPACT_2, compact, 2);

/// Every message is released at once, or two at a time, and the lanes take turns of so many messages.
fn options(release_every: u32, burst: u32) -> LanesOptions {
    LanesOptions::new().burst(burst).each_lane(ConsumerOptions::new().release_every(release_every))
}

fn tx(at: &Attachment<Port>, lane: u32) -> Tx {
    at.typed_lane_producer("q", lane).expect("its owner is dead or has given it back")
}

fn rx(at: &Attachment<Port>, release_every: u32) -> Result<Rx, ChannelError> {
    at.typed_lanes_consumer_with("q", options(release_every, 1))
}

/// Sends; `false` if the lane is full.
fn sent(tx: &mut Tx, number: u32) -> bool {
    match tx.try_send(&[number, !number]) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error, TrySendError::Full);
            false
        }
    }
}

/// The number in a whole message.
fn number(from: FromLane<Value>) -> (u32, u32) {
    let [number, inverse] = from.message;
    assert_eq!(number, !inverse, "the value is not whole");
    (from.lane, number)
}

/// Receives lane, number and sequence; `None` if all lanes are empty.
fn received(rx: &mut Rx) -> Option<(u32, u32, u32)> {
    match rx.try_recv() {
        Ok(from) => {
            let (lane, number) = number(from);
            Some((lane, number, rx.sequence()))
        }
        Err(error) => {
            assert_eq!(error, TryRecvLanesError::Empty);
            None
        }
    }
}

/// The numbers, and sequences, of one lane.
fn of_lane(all: &[(u32, u32, u32)], lane: u32) -> Vec<(u32, u32)> {
    all.iter().filter(|got| got.0 == lane).map(|got| (got.1, got.2)).collect()
}

fn spawn_sender(region: &Region, lane: u32, number: u32) -> JoinHandle<()> {
    let mut tx = tx(&region.join(), lane);
    thread::spawn(move || assert!(sent(&mut tx, number)))
}

/// Both producers publish while the consumer goes to sleep: it sleeps over neither. Up to three preemptions.
///
/// ```text
///   producer 0             producer 1             consumer
///   publish, fence,        publish, fence,        nothing in 0, nothing in 1
///   parked? parked = 0,    parked? parked = 0,    parked = 1, fence
///   wake                   wake                   nothing in 0, nothing in 1?
///                                                 sleep while parked = 1
/// ```
fn two_send_while_it_parks(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let mut rx = rx(&region.join(), 1).unwrap();
        let senders = [0, 1].map(|lane| spawn_sender(&region, lane, 10 + lane));
        let mut got = [(); 2].map(|()| number(rx.recv_timeout(LONG).unwrap()));
        got.sort_unstable();
        assert_eq!(got, [(0, 10), (1, 11)]);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

/// One producer dies anywhere, also when it has cleared the parked word and has not yet woken, while the other
/// publishes. What was published is received a probe period later at the latest. Up to two preemptions.
///
/// ```text
///   producer 0               producer 1             consumer
///   publish                  publish                nothing in 0, nothing in 1
///   parked? parked = 0       parked? (no more)      parked = 1, nothing there
///   (killed somewhere here)                         sleep, for a probe period at most
/// ```
fn one_dies_and_another_sends(search: Search, plan: &'static Plan<'static>) {
    search.each_death(move |death| {
        let region = Region::time_passes(plan);
        let (at, there) = (region.join(), region.join());
        let mut first = tx(&at, 0);
        let mut rx = rx(&there, 1).unwrap();
        let clock = there.port().clone();
        let dying = thread::spawn(move || {
            let _ = death.run(at.port(), || sent(&mut first, 10));
        });
        let mut second = tx(&region.join(), 1);
        let other = thread::spawn(move || {
            assert!(sent(&mut second, 11));
            now(&clock)
        });
        let mut from_1 = None;
        for _ in 0..2 {
            match rx.recv_timeout(3 * PROBE) {
                Ok(from) if number(from) == (1, 11) => from_1 = Some(now(there.port())),
                Ok(from) => assert_eq!(number(from), (0, 10)),
                Err(error) => assert_eq!(error, RecvLanesError::TimedOut),
            }
        }
        let gave_up_at = now(there.port());
        dying.join().unwrap();
        let sent_at = other.join().unwrap();
        match from_1 {
            Some(at) => assert!(at <= sent_at + PROBE, "received at {at:?}, sent by {sent_at:?}"),
            None => assert!(sent_at + PROBE >= gave_up_at, "a message was slept over"),
        }
    });
}

/// A producer dies anywhere from its claim on, and its lane is taken over while the consumer sweeps. Every
/// committed message arrives, in order, and the other lane is not disturbed.
///
/// ```text
///   producer 0, then its heir            consumer                 (lane 1)
///   claim, write, publish, mark, ...     look at 0, look at 1     two messages there
///   (killed somewhere here)              take, release
///   claim with proof of death, walk
///   write, publish, mark
/// ```
fn a_lane_is_taken_over(search: Search, plan: &'static Plan<'static>) {
    search.each_death(move |death| {
        let region = Region::new(plan);
        let (at, heir) = (region.join(), region.join());
        let mut other = tx(&heir, 1);
        assert!(sent(&mut other, 21) && sent(&mut other, 22));
        let mut rx = rx(&region.join(), 1).unwrap();
        let producer = thread::spawn(move || {
            let mut done = 0;
            let lived = death.run(at.port(), || {
                let mut tx = tx(&at, 0);
                done += u32::from(sent(&mut tx, 11));
            });
            let mut tx = tx(&heir, 0);
            assert!(!(lived.is_ok() && tx.taken_over_from().is_some()));
            (done, sent(&mut tx, 12))
        });
        let mut got: Vec<_> = (0..3).filter_map(|_| received(&mut rx)).collect();
        let (done, again) = producer.join().unwrap();
        got.extend(core::iter::from_fn(|| received(&mut rx)));
        assert_eq!(of_lane(&got, 1), [(21, 0), (22, 1)]);
        let first = of_lane(&got, 0);
        let committed = first.iter().any(|&(number, _)| number == 11);
        assert!(committed || done == 0, "a message that was sent is lost");
        let expected = [committed.then_some(11), again.then_some(12)];
        let expected: Vec<_> = expected.into_iter().flatten().zip(0..).collect();
        assert_eq!(first, expected);
    });
}

/// The consumer dies anywhere from its claim on, and another takes over all lanes while a producer goes on.
/// Between them they see every message of each lane, in order; of each lane the heir sees again at most the last
/// `again` that the dead one saw. With turns of two messages, the second comes without a search.
///
/// ```text
///   producer 1             consumer, then its heir
///   write, publish         claim 0, claim 1, take, release, ...
///                          (killed somewhere here)
///                          claim 0 with proof of death, claim 1
///                          take from the heads on
/// ```
fn consumer_dies(search: Search, plan: &'static Plan<'static>, again: usize, burst: u32) {
    search.each_death(move |death| {
        let region = Region::new(plan);
        let (at, heir) = (region.join(), region.join());
        let writers = region.join();
        let (mut zero, mut one) = (tx(&writers, 0), tx(&writers, 1));
        assert!(sent(&mut zero, 10) && sent(&mut zero, 11) && sent(&mut one, 20));
        let producer = thread::spawn(move || sent(&mut one, 21));
        let mut first = Vec::new();
        let lived = death.run(at.port(), || {
            let options = options(again as u32, burst);
            let mut rx: Rx = at.typed_lanes_consumer_with("q", options).expect("the role is free");
            first.extend((0..3).map_while(|_| received(&mut rx)));
        });
        let mut rx = rx(&heir, 1).expect("its owner is dead or has given it back");
        assert!((0..2).all(|lane| rx.fault(lane).is_none()), "a lane was not given back");
        assert!(lived.is_err() || rx.taken_over_from(0).is_none());
        let more = producer.join().unwrap();
        let second: Vec<_> = core::iter::from_fn(|| received(&mut rx)).collect();
        let all = [vec![10, 11], if more { vec![20, 21] } else { vec![20] }];
        for lane in 0..2 {
            let (first, second) = (of_lane(&first, lane), of_lane(&second, lane));
            let all: Vec<_> = all[lane as usize].iter().copied().zip(0..).collect();
            assert_eq!(first, all[..first.len()]);
            let seen = all.len() - second.len();
            assert_eq!(second, all[seen..]);
            assert!(seen <= first.len(), "lane {lane}: {first:?} and {second:?} are not {all:?}");
            assert!(seen + again >= first.len(), "lane {lane}: {first:?} again in {second:?}");
        }
    });
}

/// Two claim the consumer's role, and give it back: one has all lanes, or the other; never each some.
///
/// ```text
///   participant                          participant
///   claim 0, claim 1                     claim 0: Busy, or free
///   give back 1, give back 0             claim 1: free, since 0 was
/// ```
fn the_role_is_one(search: Search) {
    search.check(|| {
        let region = Region::new(&SLOTS_1);
        let claim = |at: Attachment<Port>| match rx(&at, 1) {
            Ok(rx) => assert!((0..2).all(|lane| rx.fault(lane).is_none()), "the role was split"),
            Err(error) => assert_eq!(error, ChannelError::Busy),
        };
        let (here, there) = (region.join(), region.join());
        let other = thread::spawn(move || claim(there));
        claim(here);
        other.join().unwrap();
        assert!(rx(&region.join(), 1).is_ok());
    });
}

/// Two consumers die one after the other, each anywhere in claiming, sweeping or giving back. A third gets all
/// lanes.
fn claimers_die() {
    ALL.each_two_deaths(|one, two| {
        let region = Region::new(&SLOTS_1);
        for death in [one, two] {
            let at = region.join();
            let _ = death.run(at.port(), || drop(rx(&at, 1)));
        }
        let rx = rx(&region.join(), 1).unwrap();
        assert!((0..2).all(|lane| rx.fault(lane).is_none()));
    });
}

/// Two participants search for a free lane: they get different ones. Up to three preemptions.
fn senders_of_one_name(search: Search) {
    search.check(|| {
        let region = Region::new(&SLOTS_1);
        let claim = |at: Attachment<Port>| at.typed_free_lane_producer::<Value>("q").unwrap();
        let (here, there) = (region.join(), region.join());
        let send = move |at| {
            let (lane, mut tx) = claim(at);
            assert!(sent(&mut tx, 10 + lane));
            (lane, tx)
        };
        let other = thread::spawn(move || send(there));
        // Both are kept: a lane that was given back may be claimed again.
        let (here, there) = (send(here), other.join().unwrap());
        let mut lanes = [here.0, there.0];
        lanes.sort_unstable();
        assert_eq!(lanes, [0, 1]);
        let mut rx = rx(&region.join(), 1).unwrap();
        let got = [(); 2].map(|()| received(&mut rx).unwrap());
        assert!(got.iter().all(|&(lane, number, _)| number == 10 + lane));
    });
}
