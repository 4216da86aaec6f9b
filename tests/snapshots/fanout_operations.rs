//! The operations of queues with several consumers.

use strait::fanout::{FanoutConsumer, FanoutProducer};
use strait::options::ConsumerOptions;
use strait::port::Port;
use strait::{Channel, Plan, Region, RegionPlace, SystemPort, TryRecvError, TrySendError};

use super::operation::{Act, First, Operation, Past, Seen};
use super::queues::{SLOTS, Value, open, plan, value};

const PLAN: Plan<'_> = plan(&[Channel::slots::<Value>("fan-out", SLOTS).consumers(2).consumer_may_block()]);

type Tx = FanoutProducer<Value, SystemPort>;
type Rx = FanoutConsumer<Value, SystemPort>;

/// Every operation of a queue with two consumers. What survivors see: the messages that are not for either consumer any
/// more, of both together, and how many were sent.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| Operation::new(name, PLAN, victim, survive).sees(before, after);
    let over_dead = |name, victim| {
        of(name, victim, [3, 3], [3, 3]).past(Past::Deaths(|region| Box::new(lead_up(region, 3, [1, 2]))))
    };
    let all = u64::from(SLOTS);
    vec![
        of("fanout-send", send, [3, 3], [3, 4]),
        of("fanout-send-and-look", send_and_look, [2 * all, all], [2 * all, all + 1]),
        of("fanout-send-full", send_full, [all, all], [all, all]),
        of("fanout-send-wakes", send_wakes, [3, 3], [3, 4]),
        of("fanout-receive", receive_one, [3, 3], [4, 3]),
        Operation::new("fanout-join", PLAN, join_beside_another, survive_joining).sees([4, 3], [4, 3]),
        of("fanout-leave", leave, [3, 3], [5, 3]),
        of("fanout-drop-producer", drop_producer, [3, 3], [3, 3]),
        Operation::new("fanout-leave-out-dead", PLAN, leave_out, survive_left_out)
            .sees([all, all], [2 * all, all + 1])
            .past(Past::Deaths(|region| Box::new(lead_up(region, SLOTS, [0, SLOTS])))),
        over_dead("fanout-take-over-consumer", open_consumer),
        over_dead("fanout-take-over-producer", open_producer),
    ]
}

fn tx(region: &Region) -> Tx {
    region.fanout_producer("fan-out").expect("the producer's role can be claimed")
}

fn rx(region: &Region, index: u32) -> Rx {
    let options = ConsumerOptions::new().release_every(1);
    region.fanout_consumer_with("fan-out", index, options).expect("the consumer's role can be claimed")
}

/// Claims all roles, sends so many messages, and receives and releases so many at each consumer.
fn lead_up(region: &Region, sent: u32, received: [u32; 2]) -> (Tx, [Rx; 2]) {
    let (mut tx, mut all) = (tx(region), [0, 1].map(|index| rx(region, index)));
    (0..sent).for_each(|n| tx.try_send(&value(n)).expect("it fits"));
    for (rx, received) in all.iter_mut().zip(received) {
        (0..received).for_each(|n| assert_eq!(receive(rx), Some(n)));
        rx.flush();
    }
    (tx, all)
}

/// Receives a message, which must be whole; returns its number.
fn receive(rx: &mut Rx) -> Option<u32> {
    match rx.try_recv() {
        Ok(message) => {
            assert_eq!(message, value(rx.sequence()), "the content of message {}", rx.sequence());
            Some(rx.sequence())
        }
        Err(TryRecvError::Empty) => None,
        Err(error) => panic!("a receive failed: {error}"),
    }
}

/// Receives all there is: messages that follow each other, from the start on. Returns the number after the last.
fn drain(rx: &mut Rx, first: u32) -> u32 {
    let mut next = first;
    while let Some(n) = receive(rx) {
        assert_eq!(n, next);
        next += 1;
    }
    next
}

fn survive(region: &RegionPlace, first: First) -> Seen {
    let ([one, two], sent) = firsts(region, first);
    [u64::from(one + two), u64::from(sent)]
}

/// As [`survive`]: a consumer that joins announces a head that is one message older than the newest, in case that it
/// starts there, and its successor may.
fn survive_joining(region: &RegionPlace, first: First) -> Seen {
    let ([one, two], sent) = firsts(region, first);
    assert!((2..=3).contains(&two), "consumer 1 starts at {two}");
    [u64::from(one + 3), u64::from(sent)]
}

/// As [`survive`]: consumer 0 died with a full ring before it, of which its successor starts where it was, or where the
/// producer had got to without it; and it is told how many it missed.
fn survive_left_out(region: &RegionPlace, first: First) -> Seen {
    let ([one, two], sent) = firsts_with(region, first, |index, missed, from| {
        assert_eq!(missed, if index == 0 { from } else { 0 }, "the dead one was at 0");
    });
    [u64::from(one + two), u64::from(sent)]
}

/// What all survivors do. Returns where each consumer starts, and how many were sent.
fn firsts(region: &RegionPlace, first: First) -> ([u32; 2], u32) {
    firsts_with(region, first, |_, missed, _| assert_eq!(missed, 0, "nobody was left out"))
}

/// As [`firsts`]; `check` gets each consumer's number, what it missed, and where it starts.
fn firsts_with(region: &RegionPlace, first: First, check: impl Fn(u32, u32, u32)) -> ([u32; 2], u32) {
    let region = &open(region);
    let (mut producer, mut all);
    match first {
        First::Producer => {
            producer = tx(region);
            all = [0, 1].map(|index| rx(region, index));
        }
        First::Consumer => {
            all = [0, 1].map(|index| rx(region, index));
            producer = tx(region);
        }
    }
    let sent = producer.next_sequence();
    let firsts = [0, 1].map(|index| all[index].first_sequence());
    for rx in &mut all {
        let from = rx.first_sequence();
        check(rx.index(), rx.missed(), from);
        assert_eq!(drain(rx, from), sent, "what the producer takes for sent is what each consumer gets");
    }
    use_them(&mut producer, &mut all);
    // Those survivors leave in order, so the next participant finds nothing but the next place.
    drop((producer, all));
    let (mut producer, mut all) = (tx(region), [0, 1].map(|index| rx(region, index)));
    let end = producer.next_sequence();
    for rx in &mut all {
        let from = rx.first_sequence();
        assert!(end - from <= 1 && rx.taken_over_from().is_none(), "after those that left: {from} of {end}");
        assert_eq!(drain(rx, from), end, "the newest that is there, at most");
    }
    use_them(&mut producer, &mut all);
    (firsts, sent)
}

/// Uses an empty ring for two laps.
fn use_them(tx: &mut Tx, all: &mut [Rx; 2]) {
    for _ in 0..2 {
        let first = tx.next_sequence();
        while tx.try_send(&value(tx.next_sequence())).is_ok() {}
        assert_eq!(tx.next_sequence() - first, SLOTS);
        assert!(all.iter_mut().all(|rx| drain(rx, first) == first + SLOTS));
    }
    assert!(tx.fault().is_none() && all.iter().all(|rx| rx.fault().is_none()));
}

fn send(region: &RegionPlace) -> Act {
    let (mut tx, all) = lead_up(&open(region), 3, [1, 2]);
    Box::new(move || {
        assert_eq!(tx.try_send(&value(3)), Ok(()));
        Box::new((tx, all))
    })
}

/// The ring was full: the send looks at the consumers first.
fn send_and_look(region: &RegionPlace) -> Act {
    let (mut tx, all) = lead_up(&open(region), SLOTS, [SLOTS; 2]);
    Box::new(move || {
        assert_eq!(tx.try_send(&value(SLOTS)), Ok(()));
        Box::new((tx, all))
    })
}

fn send_full(region: &RegionPlace) -> Act {
    let (mut tx, all) = lead_up(&open(region), SLOTS, [0, SLOTS]);
    Box::new(move || {
        assert_eq!(tx.try_send(&value(SLOTS)), Err(TrySendError::Full));
        Box::new((tx, all))
    })
}

/// A consumer says that it sleeps.
fn send_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let (mut tx, all) = lead_up(&region, 3, [1, 2]);
    let entry = region.consumer_entry("fan-out", 0).expect("it is planned");
    region.port().mem().setup_write(entry.wait_b, 1);
    Box::new(move || {
        assert_eq!(tx.try_send(&value(3)), Ok(()));
        Box::new((tx, all))
    })
}

/// A new producer finds a dead consumer in its way, proves that, and goes on without it.
fn leave_out(region: &RegionPlace) -> Act {
    let region = open(region);
    let (mut tx, two) = (tx(&region), rx(&region, 1));
    Box::new(move || {
        assert_eq!(tx.try_send(&value(SLOTS)), Ok(()));
        Box::new((tx, two))
    })
}

fn drop_producer(region: &RegionPlace) -> Act {
    let (tx, all) = lead_up(&open(region), 3, [1, 2]);
    Box::new(move || {
        drop(tx);
        Box::new(all)
    })
}

fn receive_one(region: &RegionPlace) -> Act {
    let (tx, [mut one, two]) = lead_up(&open(region), 3, [1, 2]);
    Box::new(move || {
        assert_eq!(receive(&mut one), Some(1));
        one.flush();
        Box::new((tx, one, two))
    })
}

/// Consumer 1 has left, and joins at the newest message.
fn join_beside_another(region: &RegionPlace) -> Act {
    let region = open(region);
    let (tx, [one, two]) = lead_up(&region, 3, [1, 2]);
    drop(two);
    Box::new(move || {
        let two = rx(&region, 1);
        Box::new((region, tx, one, two))
    })
}

fn leave(region: &RegionPlace) -> Act {
    let (tx, [one, two]) = lead_up(&open(region), 3, [2, 1]);
    Box::new(move || {
        drop(two);
        Box::new((tx, one))
    })
}

fn open_consumer(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let rx = rx(&region, 0);
        assert_eq!(rx.first_sequence(), 1);
        Box::new((region, rx))
    })
}

fn open_producer(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || {
        let tx = tx(&region);
        assert_eq!(tx.next_sequence(), 3);
        Box::new((region, tx))
    })
}
