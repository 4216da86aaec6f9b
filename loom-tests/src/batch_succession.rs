//! Queues whose producer or consumer dies in the middle of a batch, a grant or a peek, at every step, and is
//! succeeded.

use strait_core::model::loom::thread;
use strait_core::{Consumer, ConsumerOptions, Producer, model::Port};

use crate::models;
use crate::queue::{Compact, Frames, Got, Queue, Slots};
use crate::search::{Search, up_to};
use crate::spsc::{assert_gapless, drain, numbers, received, sent};
use crate::spsc_succession::{AT_ONCE, LAZY, tx, used};

models! {
    "consumer_dies/slots_8" => consumer_dies::<Slots<8>>(up_to(2), AT_ONCE, 1),
    "consumer_dies/slots_8_lazy" => consumer_dies::<Slots<8>>(up_to(2), LAZY, 2),
    "consumer_dies/compact_8" => consumer_dies::<Compact<8>>(up_to(2), AT_ONCE, 1),
    "consumer_dies/compact_8_lazy" => consumer_dies::<Compact<8>>(up_to(2), LAZY, 2),
    "consumer_dies/frames_256" => consumer_dies::<Frames<256>>(up_to(2), AT_ONCE, 1),
    "consumer_dies/frames_256_lazy" => consumer_dies::<Frames<256>>(up_to(2), LAZY, 2),
    "producer_dies/slots_8" => producer_dies::<Slots<8>>(up_to(2)),
    "producer_dies/compact_8" => producer_dies::<Compact<8>>(up_to(2)),
    "producer_dies/frames_256" => producer_dies::<Frames<256>>(up_to(2)),
    "peeker_dies/frames_256" => peeker_dies(up_to(2)),
    "granter_dies/frames_256" => granter_dies(up_to(2)),
}

type Ring = Frames<256>;

/// The consumer dies anywhere from its claim to the end of a receive and a batch. Between it and its heir they
/// see every message, in order; of what the dead one saw, the last `again` come again at most: the one in
/// its hands, and what its options allow. Up to two preemptions.
///
/// ```text
///   producer                              consumer, then its heir
///   write, publish, write, publish        claim, take, take a batch of three, release, ...
///                                         (killed somewhere here)
///                                         claim with proof of death
///                                         take from the head on
/// ```
fn consumer_dies<Q: Queue>(search: Search, options: ConsumerOptions, again: usize) {
    search.each_death(move |death| {
        let (region, heir) = used::<Q>(0);
        let mut tx = Q::tx(&region.join()).unwrap();
        (1..=2).for_each(|number| assert!(sent::<Q>(&mut tx, number)));
        let at = region.join();
        let consumer = thread::spawn(move || {
            let mut first = Vec::new();
            // Whether it was killed shows in what the heir finds.
            let _ = death.run(at.port(), || {
                let mut rx = Q::rx(&at, options).expect("the role is free");
                first.extend(received::<Q>(&mut rx));
                let _ = Q::recv_each(&mut rx, 3, |got| first.push(got));
            });
            let rx = Q::rx(&heir, options).expect("its owner is dead or has given it back");
            (first, rx)
        });
        (3..=4).for_each(|number| assert!(sent::<Q>(&mut tx, number)));
        let (first, mut rx) = consumer.join().unwrap();
        check_seen(&first, &drain::<Q>(&mut rx), 4, again);
    });
}

/// Asserts that the dead one and its heir have seen `all`, of which `again` at most twice.
fn check_seen(first: &[Got], second: &[Got], all: usize, again: usize) {
    let seen = all - second.len();
    assert_gapless(first, 0);
    assert_gapless(second, seen as u32);
    assert!(seen <= first.len(), "{first:?} and {second:?} are not all");
    assert!(seen + again >= first.len(), "{first:?} again in {second:?}");
}

/// The producer dies anywhere from its claim to the end of a batch. What was committed arrives, the lowest
/// first, and what its heir sends follows. Up to two preemptions.
///
/// ```text
///   producer, then its heir               consumer
///   claim, write, publish, write, ...     take what is published
///   (killed somewhere here)               release it
///   claim with proof of death
///   walk from the mark to the tail
///   write, publish, mark
/// ```
fn producer_dies<Q: Queue>(search: Search) {
    search.each_death(move |death| {
        let (region, heir) = used::<Q>(0);
        let mut rx = Q::rx(&region.join(), AT_ONCE).unwrap();
        let at = region.join();
        let producer = thread::spawn(move || {
            let count = death.run(at.port(), || Q::send_batch(&mut tx::<Q>(&at), &[1, 2, 3]).unwrap());
            (count.ok(), sent::<Q>(&mut tx::<Q>(&heir), 100))
        });
        let mut got: Vec<_> = (0..2).filter_map(|_| received::<Q>(&mut rx)).collect();
        let (count, again) = producer.join().unwrap();
        got.extend(drain::<Q>(&mut rx));
        assert_gapless(&got, 0);
        let arrived = numbers(&got);
        let (last, batch) = arrived.split_last().expect("what the heir sent");
        assert!(again && *last == 100);
        assert_eq!(batch, &[1, 2, 3][..batch.len()]);
        assert!(count.is_none_or(|count| count == batch.len()));
    });
}

/// The consumer dies anywhere from its claim to the end of two peeks, of which it drops one without releasing
/// the frame. Its heir sees the frame in its hands again, and none that it was done with. Up to two preemptions.
///
/// ```text
///   producer                              consumer, then its heir
///   write, publish                        claim, peek, drop, peek, copy, release, peek, ...
///                                         (killed somewhere here)
///                                         claim with proof of death, take from the head on
/// ```
fn peeker_dies(search: Search) {
    search.each_death(move |death| {
        let (region, heir) = used::<Ring>(0);
        let mut tx = Ring::tx(&region.join()).unwrap();
        assert!(sent::<Ring>(&mut tx, 1));
        let at = region.join();
        let consumer = thread::spawn(move || {
            let mut first = Vec::new();
            let _ = death.run(at.port(), || {
                let mut rx = Ring::rx(&at, AT_ONCE).expect("the role is free");
                drop(rx.peek());
                (0..2).for_each(|_| first.extend(peeked(&mut rx)));
            });
            let rx = Ring::rx(&heir, AT_ONCE).expect("its owner is dead or has given it back");
            (first, rx)
        });
        assert!(sent::<Ring>(&mut tx, 2));
        let (first, mut rx) = consumer.join().unwrap();
        check_seen(&first, &drain::<Ring>(&mut rx), 2, 1);
    });
}

/// The next frame, which is released once it was looked at.
fn peeked(rx: &mut Consumer<Port>) -> Option<Got> {
    let peek = rx.peek().ok()?;
    let (mut buffer, info) = ([0; 16], peek.info());
    let len = peek.copy_from(0, &mut buffer);
    peek.release();
    Some(crate::queue::got(info.tag, info.sequence, &buffer[..len]))
}

/// The producer dies anywhere from its claim to the end of two grants, of which it drops the first. Only
/// what was committed arrives, whole, and then what its heir sends. Up to two preemptions.
///
/// ```text
///   producer, then its heir               consumer
///   claim, reserve, write, drop           take what is published
///   reserve, write, commit
///   (killed somewhere here)
///   claim with proof of death, send
/// ```
fn granter_dies(search: Search) {
    search.each_death(move |death| {
        let (region, heir) = used::<Ring>(0);
        let mut rx = Ring::rx(&region.join(), AT_ONCE).unwrap();
        let at = region.join();
        let producer = thread::spawn(move || {
            let end = death.run(at.port(), || granted(&mut tx::<Ring>(&at)));
            (end.is_ok(), sent::<Ring>(&mut tx::<Ring>(&heir), 100))
        });
        let mut got: Vec<_> = received::<Ring>(&mut rx).into_iter().collect();
        let (lived, again) = producer.join().unwrap();
        got.extend(drain::<Ring>(&mut rx));
        assert_gapless(&got, 0);
        let arrived = numbers(&got);
        assert!(again && (arrived == [1, 100] || !lived && arrived == [100]), "{arrived:?}");
    });
}

/// Sends frame 1, of 8 bytes, after a grant that is dropped.
fn granted(tx: &mut Producer<Port>) {
    let mut grant = tx.reserve(16).expect("it fits");
    grant.write(0, &[9; 16]);
    drop(grant);
    let mut grant = tx.reserve(16).expect("it fits");
    grant.set_tag(1);
    grant.write(0, &[1; 8]);
    grant.commit_len(8);
}
