//! The operations of queues with several producers, which are those of several queues and one consumer.

use strait::error::TryRecvLanesError;
use strait::options::{ConsumerOptions, LanesOptions};
use strait::port::Port;
use strait::value::FromLane;
use strait::{Channel, Plan, Region, RegionPlace, SystemPort, TypedLanesConsumer, TypedProducer};

use super::operation::{Act, First, Operation, Past, Seen};
use super::queues::{SLOTS, Value, open, plan, value};

const LANES: usize = 2;
const PLAN: Plan<'_> =
    plan(&[Channel::slots::<Value>("lanes", SLOTS).producers(LANES as u32).consumer_may_block()]);

type Tx = TypedProducer<Value, SystemPort>;
type Rx = TypedLanesConsumer<Value, SystemPort, LANES>;

/// Every operation of lanes. What survivors see: how many messages of all lanes are released, and how many were
/// sent.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| Operation::new(name, PLAN, victim, survive).sees(before, after);
    let over_dead = |name, victim| {
        of(name, victim, [0, 5], [0, 5]).past(Past::Deaths(|region| Box::new(lead_up(region, [3, 2], 1, 1))))
    };
    vec![
        of("lanes-send", send, [0, 5], [0, 6]),
        of("lanes-send-wakes", send_wakes, [0, 5], [0, 6]),
        of("lanes-receive-from-the-next-lane", receive_from_the_next_lane, [0, 5], [1, 5]),
        of("lanes-receive-empty", receive_empty, [1, 2], [2, 2]),
        of("lanes-open-consumer", open_consumer, [0, 0], [0, 0]),
        of("lanes-drop-consumer", drop_consumer, [0, 5], [3, 5]),
        of("lanes-drop-producer", drop_producer, [0, 5], [0, 5]),
        over_dead("lanes-take-over-consumer", open_consumer),
        over_dead("lanes-take-over-producer", open_producer),
    ]
}

fn tx(region: &Region, lane: usize) -> Tx {
    region.typed_lane_producer("lanes", lane as u32).expect("the producer's role can be claimed")
}

fn rx(region: &Region, release_every: u32) -> Rx {
    let each = ConsumerOptions::new().release_every(release_every);
    let options = LanesOptions::new().burst(1).each_lane(each);
    region.typed_lanes_consumer_with("lanes", options).expect("the consumer's role can be claimed")
}

/// Claims all roles, sends so many messages in each lane, and receives from the lanes in turn.
fn lead_up(region: &Region, sent: [u32; LANES], received: u32, release_every: u32) -> ([Tx; LANES], Rx) {
    let (mut lanes, mut rx) = ([0, 1].map(|lane| tx(region, lane)), rx(region, release_every));
    for (tx, sent) in lanes.iter_mut().zip(sent) {
        (0..sent).for_each(|n| tx.try_send(&value(n)).expect("it fits"));
    }
    (0..received).for_each(|n| assert_eq!(receive(&mut rx), Some((n % 2, n / 2))));
    (lanes, rx)
}

/// Receives a message, which must be whole; returns its lane and number.
fn receive(rx: &mut Rx) -> Option<(u32, u32)> {
    match rx.try_recv() {
        Ok(FromLane { lane, message }) => {
            assert_eq!(message, value(rx.sequence()), "the content of message {} of {lane}", rx.sequence());
            Some((lane, rx.sequence()))
        }
        Err(TryRecvLanesError::Empty) => None,
        Err(error) => panic!("a receive failed: {error}"),
    }
}

/// Receives all there is: of each lane, messages that follow each other. Returns the first of each lane, and the
/// number after the last.
fn drain(rx: &mut Rx) -> [Option<(u32, u32)>; LANES] {
    let mut all = [None; LANES];
    while let Some((lane, n)) = receive(rx) {
        let (first, end) = all[lane as usize].unwrap_or((n, n));
        assert_eq!(n, end, "message {n} of {lane}");
        all[lane as usize] = Some((first, n + 1));
    }
    all
}

fn survive(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let heirs = || [0, 1].map(|lane| tx(region, lane));
    let (mut lanes, mut consumer, found);
    match first {
        First::Producer => {
            lanes = heirs();
            consumer = rx(region, 64);
            found = drain(&mut consumer);
        }
        First::Consumer => {
            consumer = rx(region, 64);
            found = drain(&mut consumer);
            lanes = heirs();
        }
    }
    let mut seen = [0, 0];
    for (tx, found) in lanes.iter().zip(found) {
        let next = tx.next_sequence();
        let (first, end) = found.unwrap_or((next, next));
        assert_eq!(end, next, "what the producer takes for sent is what the consumer gets");
        seen = [seen[0] + u64::from(first), seen[1] + u64::from(end)];
    }
    use_them(&mut lanes, &mut consumer);
    // Those survivors leave in order, so the next participant finds nothing but the next place.
    drop((lanes, consumer));
    let (mut lanes, mut consumer) = (heirs(), rx(region, 64));
    assert_eq!(drain(&mut consumer), [None; LANES], "after those that left");
    use_them(&mut lanes, &mut consumer);
    seen
}

/// Uses empty lanes for two laps.
fn use_them(lanes: &mut [Tx; LANES], rx: &mut Rx) {
    for _ in 0..2 {
        let laps = lanes.each_mut().map(|tx| {
            let first = tx.next_sequence();
            while tx.try_send(&value(tx.next_sequence())).is_ok() {}
            assert_eq!(tx.next_sequence() - first, SLOTS);
            Some((first, first + SLOTS))
        });
        assert_eq!(drain(rx), laps);
    }
    assert!(lanes.iter().all(|tx| tx.fault().is_none()) && (0..2).all(|lane| rx.fault(lane).is_none()));
}

fn send(region: &RegionPlace) -> Act {
    let (mut lanes, rx) = lead_up(&open(region), [3, 2], 1, 1);
    Box::new(move || {
        assert_eq!(lanes[1].try_send(&value(2)), Ok(()));
        Box::new((lanes, rx))
    })
}

/// The consumer says that it sleeps, on the one word of all lanes.
fn send_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let (mut lanes, rx) = lead_up(&region, [3, 2], 1, 1);
    let entry = region.lane("lanes", 1).expect("it is planned");
    region.port().mem().setup_write(entry.wait_b, 1);
    Box::new(move || {
        assert_eq!(lanes[1].try_send(&value(2)), Ok(()));
        Box::new((lanes, rx))
    })
}

/// The message of lane 0 is released when one of lane 1 is received.
fn receive_from_the_next_lane(region: &RegionPlace) -> Act {
    let (lanes, mut rx) = lead_up(&open(region), [3, 2], 1, 1);
    Box::new(move || {
        assert_eq!(receive(&mut rx), Some((1, 0)));
        Box::new((lanes, rx))
    })
}

fn receive_empty(region: &RegionPlace) -> Act {
    let (lanes, mut rx) = lead_up(&open(region), [1, 1], 2, 1);
    Box::new(move || {
        assert_eq!(receive(&mut rx), None);
        Box::new((lanes, rx))
    })
}

fn open_consumer(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let rx = rx(&region, 1);
        Box::new((region, rx))
    })
}

fn open_producer(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let (lane, tx) = region.typed_free_lane_producer::<Value>("lanes").expect("its owner is dead");
        assert_eq!((lane, tx.next_sequence()), (0, 3));
        Box::new((region, tx))
    })
}

fn drop_consumer(region: &RegionPlace) -> Act {
    let (lanes, rx) = lead_up(&open(region), [3, 2], 3, 64);
    Box::new(move || {
        drop(rx);
        Box::new(lanes)
    })
}

fn drop_producer(region: &RegionPlace) -> Act {
    let ([one, two], rx) = lead_up(&open(region), [3, 2], 1, 1);
    Box::new(move || {
        drop(one);
        Box::new((two, rx))
    })
}
