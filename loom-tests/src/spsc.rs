//! Queues with one producer and one consumer: frames, slots and compact.

use strait_core::model::Region;
use strait_core::model::loom::thread;
use strait_core::{ConsumerOptions, Delivery, TryRecvError, TrySendError};

use crate::models;
use crate::queue::{Compact, Frames, Got, Queue, Slots};
use crate::search::{ALL, Search};

const AT_MOST_ONCE: ConsumerOptions = ConsumerOptions::new().delivery(Delivery::AtMostOnce);

models! {
    "what_is_sent_arrives/slots_1" => what_is_sent_arrives::<Slots<1>>(ALL, 0, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/slots_2" => what_is_sent_arrives::<Slots<2>>(ALL, 1, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/slots_2_at_most_once" => what_is_sent_arrives::<Slots<2>>(ALL, 0, 4, AT_MOST_ONCE),
    "what_is_sent_arrives/slots_8_lazy" => what_is_sent_arrives::<Slots<8>>(ALL, 6, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/slots_8_at_once" =>
        what_is_sent_arrives::<Slots<8>>(ALL, 6, 4, ConsumerOptions::new().release_every(1)),
    "what_is_sent_arrives/compact_1" => what_is_sent_arrives::<Compact<1>>(ALL, 0, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/compact_2" => what_is_sent_arrives::<Compact<2>>(ALL, 1, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/compact_2_at_most_once" => what_is_sent_arrives::<Compact<2>>(ALL, 0, 4, AT_MOST_ONCE),
    "what_is_sent_arrives/compact_8_lazy" => what_is_sent_arrives::<Compact<8>>(ALL, 6, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/frames" => what_is_sent_arrives::<Frames<64>>(ALL, 0, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/frames_pad" => what_is_sent_arrives::<Frames<64>>(ALL, 2, 4, ConsumerOptions::new()),
    "what_is_sent_arrives/frames_at_most_once" => what_is_sent_arrives::<Frames<64>>(ALL.never_quick(), 1, 4, AT_MOST_ONCE),
    "what_is_sent_arrives/frames_256_lazy" =>
        what_is_sent_arrives::<Frames<256>>(ALL, 9, 4, ConsumerOptions::new()),
    "batches_arrive/slots_2" => batches_arrive::<Slots<2>>(),
    "batches_arrive/compact_2" => batches_arrive::<Compact<2>>(),
    "batches_arrive/frames" => batches_arrive::<Frames<64>>(),
    "only_committed_grants_arrive/frames" => only_committed_grants_arrive(),
    "who_wants_space_gets_it/slots_8" => who_wants_space_gets_it::<Slots<8>>(),
    "who_wants_space_gets_it/compact_8" => who_wants_space_gets_it::<Compact<8>>(),
    "the_count_is_a_lower_bound/slots_2" => the_count_is_a_lower_bound::<Slots<2>>(),
    "the_count_is_a_lower_bound/compact_2" => the_count_is_a_lower_bound::<Compact<2>>(),
    "the_count_is_a_lower_bound/frames" => the_count_is_a_lower_bound::<Frames<64>>(),
}

/// Sends; `false` if the queue is full.
pub fn sent<Q: Queue>(tx: &mut Q::Tx, number: u32) -> bool {
    match Q::send(tx, number) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error, TrySendError::Full);
            false
        }
    }
}

/// Receives; `None` if the queue is empty.
pub fn received<Q: Queue>(rx: &mut Q::Rx) -> Option<Got> {
    match Q::recv(rx) {
        Ok(got) => Some(got),
        Err(error) => {
            assert_eq!(error, TryRecvError::Empty);
            None
        }
    }
}

/// Receives what is there now, up to `max`, as a batch.
fn batch<Q: Queue>(rx: &mut Q::Rx, max: usize) -> Vec<Got> {
    let mut all = Vec::new();
    match Q::recv_each(rx, max, |got| all.push(got)) {
        Ok(count) => assert_eq!(count, all.len()),
        Err(error) => assert_eq!((error, all.len()), (TryRecvError::Empty, 0)),
    }
    all
}

/// Receives what is there now.
pub fn drain<Q: Queue>(rx: &mut Q::Rx) -> Vec<Got> {
    core::iter::from_fn(|| received::<Q>(rx)).collect()
}

/// Sends and receives `1..=count` before the threads start, so that places and sequences are not
/// those of a new queue.
pub fn lead<Q: Queue>(tx: &mut Q::Tx, rx: &mut Q::Rx, count: u32) {
    for number in 1..=count {
        assert!(sent::<Q>(tx, number));
        assert!(received::<Q>(rx).is_some());
        Q::release(rx);
    }
}

/// The numbers that were received.
pub fn numbers(got: &[Got]) -> Vec<u32> {
    got.iter().map(|got| got.number).collect()
}

/// Asserts that the sequences count up by one from `first`.
pub fn assert_gapless(got: &[Got], first: u32) {
    let sequences: Vec<_> = got.iter().map(|got| got.sequence).collect();
    let expected: Vec<_> = (first..).take(got.len()).collect();
    assert_eq!(sequences, expected);
}

/// Every frame that is sent arrives: whole, once, in order.
///
/// ```text
///   producer                              consumer
///   free space? (the head, if need be)    is the next one published?
///   write it                              copy it
///   publish it                            release it: store the head, now and then
/// ```
fn what_is_sent_arrives<Q: Queue>(search: Search, before: u32, sends: u32, options: ConsumerOptions) {
    search.check(move || {
        let region = Region::new(&Q::PLAN);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), options).unwrap();
        lead::<Q>(&mut tx, &mut rx, before);
        let producer = thread::spawn(move || {
            let numbers = before + 1..=before + sends;
            numbers.filter(|&number| sent::<Q>(&mut tx, number)).collect::<Vec<_>>()
        });
        let mut got: Vec<_> = (0..sends).filter_map(|_| received::<Q>(&mut rx)).collect();
        let sent = producer.join().unwrap();
        got.extend(drain::<Q>(&mut rx));
        assert_eq!(numbers(&got), sent);
        assert_gapless(&got, before);
        assert!(sent.len() >= sends.min(Q::FITS) as usize);
    });
}

/// Of a batch each message becomes visible by itself, the lowest first.
///
/// ```text
///   producer                              consumer
///   write, publish                        take all that is there, two at most
///   write, publish
/// ```
fn batches_arrive<Q: Queue>() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            let first = Q::send_batch(&mut tx, &[1, 2, 3]).expect("one fits");
            let second = match Q::send_batch(&mut tx, &[11, 12]) {
                Ok(count) => count,
                Err(error) => {
                    assert_eq!(error, TrySendError::Full);
                    0
                }
            };
            [&[1, 2, 3][..first], &[11, 12][..second]].concat()
        });
        let mut got = Vec::new();
        for _ in 0..2 {
            got.extend(batch::<Q>(&mut rx, 2));
        }
        let sent = producer.join().unwrap();
        got.extend(drain::<Q>(&mut rx));
        assert_eq!(numbers(&got), sent);
        assert_gapless(&got, 0);
    });
}

/// A grant is invisible before its commit, and a dropped one was never there; a peeked frame stays
/// until it is released.
///
/// ```text
///   producer                              consumer
///   reserve 16, write, drop               peek, drop
///   reserve 16, write, commit 8           peek, copy
///                                         release
/// ```
fn only_committed_grants_arrive() {
    type Ring = Frames<64>;
    ALL.check(|| {
        let region = Region::new(&Ring::PLAN);
        let mut tx = Ring::tx(&region.join()).unwrap();
        let mut rx = Ring::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            let mut grant = tx.reserve(16).expect("it fits");
            grant.write(0, &[9; 16]);
            drop(grant);
            let mut grant = tx.reserve(16).expect("it fits");
            grant.set_tag(1);
            grant.write(0, &[1; 8]);
            grant.commit_len(8);
            sent::<Frames<64>>(&mut tx, 2)
        });
        drop(rx.peek());
        let mut got = batch::<Ring>(&mut rx, 1);
        let second = producer.join().unwrap();
        let seen = rx.peek().map(|peek| peek.info().sequence).ok();
        got.extend(drain::<Frames<64>>(&mut rx));
        assert_eq!(numbers(&got), if second { vec![1, 2] } else { vec![1] });
        assert_gapless(&got, 0);
        assert!(seen.is_none_or(|sequence| got.iter().any(|got| got.sequence == sequence)));
    });
}

/// A consumer that stores its head lazily stores it at the next release once the producer has asked
/// for space.
///
/// ```text
///   producer                              consumer
///   space?                                take two: release one, and tell if that is wanted
///   if not: want_space = 1                (the producer was refused, or not)
///                                         take another: release one, and tell as that is wanted
///   now there is space
/// ```
fn who_wants_space_gets_it<Q: Queue>() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        assert!((1..=8).all(|number| sent::<Q>(&mut tx, number)));
        let producer = thread::spawn(move || {
            let early = sent::<Q>(&mut tx, 9);
            (early, tx)
        });
        assert_eq!(received::<Q>(&mut rx).unwrap().number, 1);
        assert_eq!(received::<Q>(&mut rx).unwrap().number, 2);
        let (early, mut tx) = producer.join().unwrap();
        assert!(!early, "a quarter is two, and none of them was asked for");
        assert_eq!(received::<Q>(&mut rx).unwrap().number, 3);
        assert!(sent::<Q>(&mut tx, 10), "two were released, and that was asked for");
    });
}

/// The consumer never sees a length greater than the number of frames.
///
/// ```text
///   producer                              consumer
///   publish                               take what is published
///   store the mark                        count: the mark less what was taken
/// ```
fn the_count_is_a_lower_bound<Q: Queue>() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || (1..=2).filter(|&number| sent::<Q>(&mut tx, number)).count());
        let mut counts = Vec::new();
        let mut taken = 0;
        for _ in 0..2 {
            taken += received::<Q>(&mut rx).iter().count();
            counts.push((taken, Q::waiting(&rx) as usize));
        }
        let sent = producer.join().unwrap();
        assert!(counts.iter().all(|(taken, waiting)| taken + waiting <= sent), "{counts:?} of {sent}");
        assert_eq!(taken + Q::waiting(&rx) as usize, sent);
    });
}
