//! Queues with several consumers, each of which gets every message.

use strait_core::ground::entry::at;
use strait_core::ground::sync::WordRef;
use strait_core::ground::sync::order::{RELAXED, publish};
use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::port::Port as _;
use strait_core::protocol::fanout::{Joining, Member, Members};
use strait_core::{
    Attachment, Channel, ConsumerOptions, FanoutConsumer, FanoutProducer, Plan, SendError, TryRecvError,
    TrySendError,
};

use crate::models;
use crate::search::{ALL, Search, up_to};
use crate::waiting::{LONG, PROBE, now};

models! {
    "join_while_it_sends/slots_1" => join_while_it_sends(up_to(3).quick(2), &SLOTS_1),
    "join_while_it_sends/slots_2" => join_while_it_sends(up_to(3).quick(2), &SLOTS_2),
    "join_while_it_sends/compact_1" => join_while_it_sends(up_to(3).quick(2), &COMPACT_1),
    "join_while_it_sends/compact_2" => join_while_it_sends(up_to(3).quick(2), &COMPACT_2),
    "join_beside_another/slots_2" => join_beside_another(up_to(3).most(2).quick(2), &SLOTS_2),
    "join_beside_another/compact_2" => join_beside_another(up_to(3).most(2).quick(2), &COMPACT_2),
    "one_leaves_and_another_joins/slots_1" => one_leaves_and_another_joins(up_to(3).quick(2), &SLOTS_1),
    "one_leaves_and_another_joins/slots_2" => one_leaves_and_another_joins(up_to(3).quick(2), &SLOTS_2),
 "a_floor_shows_what_is_below_it/slots_1" => a_floor_shows_what_is_below_it(up_to(3)),
    "a_consumer_dies_while_it_is_full/slots_1" => a_consumer_dies_while_it_is_full(up_to(2).quick(1), &SLOTS_1),
    "a_consumer_dies_while_it_is_full/compact_2" => a_consumer_dies_while_it_is_full(up_to(2).quick(1), &COMPACT_2),
    "a_successor_goes_on/slots_2" => a_successor_goes_on(up_to(2).quick(1), &SLOTS_2),
    "a_successor_goes_on/compact_2" => a_successor_goes_on(up_to(2).quick(1), &COMPACT_2),
    "a_successor_of_one_left_out/slots_1" => a_successor_of_one_left_out(up_to(3).quick(2), &SLOTS_1),
    "the_producer_dies/slots_2" => the_producer_dies(up_to(2).most(1).quick(1), &SLOTS_2),
    "the_producer_dies/compact_2" => the_producer_dies(up_to(2).most(1).quick(1), &COMPACT_2),
    "leaving_wakes_the_producer/slots_1" => leaving_wakes_the_producer(ALL, &SLOTS_1),
    "leaving_wakes_the_producer/compact_1" => leaving_wakes_the_producer(ALL, &COMPACT_1),
    "two_free_places_while_it_parks/slots_1" => two_free_places_while_it_parks(up_to(3).most(2).quick(2), &SLOTS_1),
    "two_free_places_while_it_parks/compact_1" => two_free_places_while_it_parks(up_to(3).most(2).quick(2), &COMPACT_1),
    "two_park_while_it_sends/slots_1" => two_park_while_it_sends(up_to(3).quick(2), &SLOTS_1),
}

type Value = [u32; 2];
type Tx = FanoutProducer<Value, Port>;
type Rx = FanoutConsumer<Value, Port>;

/// A plan with one queue, `q`, of two consumers, in which all sides may sleep.
macro_rules! plan {
    ($name:ident, $kind:ident, $slots:literal) => {
        const $name: Plan<'static> = Plan::new(&[Channel::$kind::<Value>("q", $slots)
            .consumers(2)
            .consumer_may_block()
            .producer_may_block()])
        .line(4)
        .participants(5);
    };
}

plan!(SLOTS_1, slots, 1);
plan!(SLOTS_2, slots, 2);
plan!(COMPACT_1, compact, 1);
plan!(COMPACT_2, compact, 2);

/// Every message is released at once.
const AT_ONCE: ConsumerOptions = ConsumerOptions::new().release_every(1);

fn tx(at: &Attachment<Port>) -> Tx {
    at.fanout_producer("q").expect("its owner is dead or has given it back")
}

fn rx(at: &Attachment<Port>, index: u32) -> Rx {
    at.fanout_consumer_with("q", index, AT_ONCE).expect("its owner is dead or has given it back")
}

/// The message of this sequence number.
fn message(sequence: u32) -> Value {
    [sequence, !sequence]
}

/// Sends the next message; `false` if there is no space.
fn sent(tx: &mut Tx) -> bool {
    match tx.try_send(&message(tx.next_sequence())) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error, TrySendError::Full);
            false
        }
    }
}

/// Receives a message, which must be whole and that of its number; `None` if there is none.
fn received(rx: &mut Rx) -> Option<u32> {
    match rx.try_recv() {
        Ok(value) => {
            assert_eq!(value, message(rx.sequence()));
            Some(rx.sequence())
        }
        Err(error) => {
            assert_eq!(error, TryRecvError::Empty);
            None
        }
    }
}

fn drain(rx: &mut Rx) -> impl Iterator<Item = u32> {
    core::iter::from_fn(|| received(rx))
}

/// Checks that a consumer received everything from its start to the end, in order.
fn assert_all(got: &[u32], from: u32, to: u32) {
    assert!(got.iter().copied().eq(from..to), "{got:?} is not {from}..{to}");
}

/// A consumer joins while the producer sends: it gets everything from its start on, and nothing that it was promised is
/// overwritten. Up to three preemptions.
///
/// ```text
///   producer                         consumer
///   look who has joined              sample the newest, head, joined
///   floor, fence, look again         fence, floor
///   write, publish, mark, ...        start, receive
/// ```
fn join_while_it_sends(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, there) = (region.join(), region.join());
        let producer = thread::spawn(move || {
            let mut tx = tx(&at);
            (0..4).for_each(|_| {
                let _ = sent(&mut tx);
            });
            tx
        });
        let mut rx = rx(&there, 0);
        let mut got: Vec<_> = drain(&mut rx).take(2).collect();
        let tx = producer.join().unwrap();
        got.extend(drain(&mut rx));
        assert_all(&got, rx.first_sequence(), tx.next_sequence());
        assert_eq!((rx.missed(), rx.taken_over_from()), (0, None));
    });
}

/// The words of a ring of one slot, and of its first consumer.
struct Words {
    mark: WordRef,
    least: WordRef,
    floor: WordRef,
    joined: WordRef,
    head: WordRef,
    sequence: WordRef,
}

/// The same without endpoints, in fewer steps, to the end of joining alone: the slot at which a consumer starts is that
/// of this lap or the one before, whatever of the producer's stores has arrived (F5). Up to three preemptions.
///
/// ```text
///   producer                          consumer
///   write, publish, mark              mark, head, joined, fence
///   joined? floor, fence, joined?     floor
///   write, publish, mark              the slot at the start: published, or free since the lap before
/// ```
fn a_floor_shows_what_is_below_it(search: Search) {
    search.check(|| {
        let region = Region::new(&SLOTS_1);
        let (here, there) = (region.join(), region.join());
        let words = |at: &Attachment<Port>| {
            let (ring, entry) = (at.channel("q").unwrap(), at.consumer_entry("q", 0).unwrap());
            let word = |offset: u32| at.port().mem().word_ref(offset).unwrap();
            Words {
                mark: word(ring.block_a + at::MARK),
                least: word(ring.block_b + at::HEAD),
                floor: word(ring.block_b + at::FLOOR),
                joined: word(entry.block_c + at::JOINED),
                head: word(entry.block_b + at::HEAD),
                sequence: word(ring.data + ring.stride - 4),
            }
        };
        let producer = thread::spawn(move || {
            let Words { mark, least, floor, joined, head, sequence } = words(&here);
            let mut members = Members::new(0, least, floor);
            members.add(Member::new(joined, head));
            for tail in 0..3 {
                members.look(tail);
                if members.used(tail) == 1 {
                    break;
                }
                // ORDERING(publish): as `slots::publish`.
                sequence.store(tail + 1, publish::STORE);
                mark.store(tail + 1, RELAXED); // ORDERING: as `slots::Producer::commit`.
            }
        });
        let Words { mark, floor, joined, head, sequence, .. } = words(&there);
        let me = there.port().ident().unwrap();
        let joining = Joining { joined: &joined, head: &head, mark: &mark, floor: &floor };
        let start = joining.join(me, 1).at;
        // ORDERING(publish): as `slots::Consumer::look`.
        let seen = sequence.load(publish::LOAD);
        assert!(seen == start || seen == start + 1, "a slot of lap {seen} at {start}");
        producer.join().unwrap();
    });
}

/// As above, while another consumer, which joined before, receives all. Up to three preemptions.
fn join_beside_another(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, here, there) = (region.join(), region.join(), region.join());
        let mut first = rx(&here, 0);
        let producer = thread::spawn(move || {
            let mut tx = tx(&at);
            (0..3).for_each(|_| {
                let _ = sent(&mut tx);
            });
            tx
        });
        let other = thread::spawn(move || {
            let mut rx = rx(&there, 1);
            (received(&mut rx), rx)
        });
        let mut all: Vec<_> = drain(&mut first).take(2).collect();
        let tx = producer.join().unwrap();
        let (one, mut second) = other.join().unwrap();
        let end = tx.next_sequence();
        all.extend(drain(&mut first));
        assert_all(&all, 0, end);
        let got: Vec<_> = one.into_iter().chain(drain(&mut second)).collect();
        assert_all(&got, second.first_sequence(), end);
    });
}

/// A consumer leaves, and another joins in its place, while the producer sends. Up to three preemptions.
fn one_leaves_and_another_joins(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, here) = (region.join(), region.join());
        let mut first = rx(&here, 0);
        let producer = thread::spawn(move || {
            let mut tx = tx(&at);
            (0..3).for_each(|_| {
                let _ = sent(&mut tx);
            });
            tx
        });
        let before: Vec<_> = received(&mut first).into_iter().collect();
        assert_all(&before, 0, before.len() as u32);
        drop(first);
        let mut second = rx(&here, 0);
        let mut got: Vec<_> = received(&mut second).into_iter().collect();
        let tx = producer.join().unwrap();
        got.extend(drain(&mut second));
        assert_all(&got, second.first_sequence(), tx.next_sequence());
        assert_eq!(second.missed(), 0);
    });
}

/// A consumer dies anywhere, while the ring is full or about to be: the producer goes on a probe period later at the latest,
/// and the other consumer misses nothing. Up to two preemptions.
///
/// ```text
///   producer                    consumer 0                    consumer 1
///   full: asleep on its word    (killed somewhere here)       take, release, wake
///   probe: is 0 dead?
///   write, publish
/// ```
fn a_consumer_dies_while_it_is_full(search: Search, plan: &'static Plan<'static>) {
    search.each_death(move |death| {
        let region = Region::time_passes(plan);
        let (at, here, there) = (region.join(), region.join(), region.join());
        let mut tx = tx(&at);
        let mut other = rx(&there, 1);
        let dying = thread::spawn(move || {
            let _ = death.run(here.port(), || {
                let mut rx = rx(&here, 0);
                let _ = received(&mut rx);
            });
        });
        assert!(sent(&mut tx));
        assert_eq!(received(&mut other), Some(0));
        other.flush();
        let full = sent(&mut tx).then(|| received(&mut other));
        other.flush();
        let (next, began) = (message(tx.next_sequence()), now(at.port()));
        let result = tx.send_timeout(&next, 8 * PROBE);
        assert_eq!(result, Ok(()), "a dead consumer holds the producer up");
        assert!(now(at.port()) <= began + 4 * PROBE);
        dying.join().unwrap();
        assert!(full.is_none_or(|got| got == Some(1)));
        assert_eq!(received(&mut other), Some(tx.next_sequence() - 1));
    });
}

/// A consumer dies anywhere, and a successor takes its place while the producer sends, which has not asked who is dead.
/// Between them they get everything, or the successor is told; and it gets again one message at most. Up to two preemptions.
fn a_successor_goes_on(search: Search, plan: &'static Plan<'static>) {
    search.each_death(move |death| {
        let region = Region::new(plan);
        let (at, here, heir) = (region.join(), region.join(), region.join());
        let mut tx = tx(&at);
        // Spends the look at who is dead, which comes once a probe period.
        let keeper = rx(&heir, 1);
        while sent(&mut tx) {}
        drop(keeper);
        let producer = thread::spawn(move || {
            (0..2).for_each(|_| {
                let _ = sent(&mut tx);
            });
            tx
        });
        let (mut first, mut start) = (Vec::new(), None);
        let _ = death.run(here.port(), || {
            let mut rx = rx(&here, 0);
            start = Some(rx.first_sequence());
            first.extend(received(&mut rx));
            core::mem::forget(rx);
            here.port().end();
        });
        let mut rx = rx(&heir, 0);
        let mut second: Vec<_> = received(&mut rx).into_iter().collect();
        let mut tx = producer.join().unwrap();
        let _ = sent(&mut tx);
        second.extend(drain(&mut rx));
        let end = tx.next_sequence();
        assert_all(&second, rx.first_sequence(), end);
        if let Some(start) = start {
            let done = start + first.len() as u32;
            // It may have joined and died between two looks of the producer; then what is lost is told.
            assert!(rx.first_sequence() <= done + rx.missed(), "{} is lost", done);
            assert!(rx.first_sequence() + 1 >= done);
        }
    });
}

/// The producer has proven a consumer dead and goes on, while a successor takes its place: what is lost is counted,
/// and from its start on the successor gets everything. Up to three preemptions.
fn a_successor_of_one_left_out(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, here, heir) = (region.join(), region.join(), region.join());
        let mut tx = tx(&at);
        let dead = rx(&here, 0);
        core::mem::forget(dead);
        here.port().end();
        let producer = thread::spawn(move || {
            (0..3).for_each(|_| {
                let _ = sent(&mut tx);
            });
            tx
        });
        let mut rx = rx(&heir, 0);
        let mut got: Vec<_> = received(&mut rx).into_iter().collect();
        let tx = producer.join().unwrap();
        got.extend(drain(&mut rx));
        assert_all(&got, rx.first_sequence(), tx.next_sequence());
        assert_eq!(rx.missed(), rx.first_sequence(), "the dead one was at 0");
    });
}

/// The producer dies anywhere, its looks at the consumers included, while a consumer joins; its successor goes on. Each
/// consumer gets everything from its start on. Up to two preemptions.
fn the_producer_dies(search: Search, plan: &'static Plan<'static>) {
    search.each_death(move |death| {
        let region = Region::new(plan);
        let (at, heir, here, there) = (region.join(), region.join(), region.join(), region.join());
        let mut first = rx(&here, 0);
        let producer = thread::spawn(move || {
            let _ = death.run(at.port(), || {
                let mut tx = tx(&at);
                (0..3).for_each(|_| {
                    let _ = sent(&mut tx);
                });
            });
            let mut tx = tx(&heir);
            let _ = sent(&mut tx);
            tx
        });
        let mut all: Vec<_> = received(&mut first).into_iter().collect();
        let mut second = rx(&there, 1);
        let mut got: Vec<_> = received(&mut second).into_iter().collect();
        let mut tx = producer.join().unwrap();
        let _ = sent(&mut tx);
        let end = tx.next_sequence();
        all.extend(drain(&mut first));
        got.extend(drain(&mut second));
        assert_all(&all, 0, end);
        assert_all(&got, second.first_sequence(), end);
    });
}

/// The producer sleeps because the ring is full, and the consumer leaves.
///
/// ```text
///   producer                          consumer
///   parked = 1, fence                 joined = 0
///   look who has joined: full?        fence, parked? parked = 0, wake
///   sleep while parked = 1
/// ```
fn leaving_wakes_the_producer(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, here) = (region.join(), region.join());
        let rx = rx(&here, 0);
        let mut tx = tx(&at);
        while sent(&mut tx) {}
        let leaver = thread::spawn(move || drop(rx));
        let next = message(tx.next_sequence());
        assert_eq!(tx.send_timeout(&next, LONG), Ok::<(), SendError>(()));
        leaver.join().unwrap();
    });
}

/// The producer sleeps because the ring is full, and both consumers free places: it sleeps over neither. Up to three
/// preemptions.
///
/// ```text
///   producer                     consumer 0                    consumer 1
///   parked = 1, fence            take, head, fence             take, head, fence
///   least head: full?            parked? parked = 0, wake      parked? parked = 0, wake
///   sleep while parked = 1
/// ```
fn two_free_places_while_it_parks(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, here, there) = (region.join(), region.join(), region.join());
        let consumers = [rx(&here, 0), rx(&there, 1)];
        let mut tx = tx(&at);
        while sent(&mut tx) {}
        let takers = consumers.map(|mut rx| {
            thread::spawn(move || {
                assert_eq!(received(&mut rx), Some(0));
                rx.flush();
                rx
            })
        });
        let next = message(tx.next_sequence());
        assert_eq!(tx.send_timeout(&next, LONG), Ok::<(), SendError>(()));
        takers.into_iter().for_each(|taker| {
            let mut rx = taker.join().unwrap();
            assert_eq!(received(&mut rx), Some(1));
        });
    });
}

/// Both consumers go to sleep while the producer sends: neither sleeps over the message. Up to three preemptions.
fn two_park_while_it_sends(search: Search, plan: &'static Plan<'static>) {
    search.check(move || {
        let region = Region::new(plan);
        let (at, here, there) = (region.join(), region.join(), region.join());
        let (mut one, mut two) = (rx(&here, 0), rx(&there, 1));
        let mut tx = tx(&at);
        let sender = thread::spawn(move || {
            assert!(sent(&mut tx));
            tx
        });
        let other = thread::spawn(move || assert_eq!(two.recv_timeout(LONG), Ok(message(0))));
        assert_eq!(one.recv_timeout(LONG), Ok(message(0)));
        sender.join().unwrap();
        other.join().unwrap();
    });
}
