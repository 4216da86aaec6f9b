//! Waiting: no wake is lost.
//!
//! In a model region nobody wakes by time, unless the model says so, so a lost wake shows as a
//! deadlock.

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{ConsumerOptions, LatestReader, Reading, RecvError, WaitPolicy, wait_any};

use crate::models;
use crate::queue::{Compact, Frames, Got, Queue, Slots};
use crate::search::{ALL, Search, up_to};
use crate::spsc::{drain, numbers, received, sent};
use crate::waiting::{
    DOORBELL, LATEST, LONG, PROBE, TWO_WORDS, assert_in_time, now, send_and_die, send_one_through_each,
};

models! {
    "recv_waits_for_send/frames" => recv_waits_for_send::<Frames<64>>(ALL),
    "recv_waits_for_send/slots_2" => recv_waits_for_send::<Slots<2>>(ALL),
    "recv_waits_for_send/compact_2" => recv_waits_for_send::<Compact<2>>(ALL),
    "send_waits_for_recv/frames" => send_waits_for_recv::<Frames<64>>(ALL, 1),
    "send_waits_for_recv/slots_1" => send_waits_for_recv::<Slots<1>>(ALL, 1),
    "send_waits_for_recv/compact_1" => send_waits_for_recv::<Compact<1>>(ALL, 1),
    "send_waits_for_recv/slots_8_lazy" => send_waits_for_recv::<Slots<8>>(up_to(2), 8),
    "both_wait/slots_1" => both_wait::<Slots<1>>(up_to(3).quick(2)),
    "both_wait/frames" => both_wait::<Frames<64>>(up_to(3).quick(2)),
    "any_of_two/slots_1" => any_of_two(up_to(3).quick(2)),
    "any_of_two_words/slots_1_and_event" => any_of_two_words(up_to(3).quick(2)),
    "readers_wait/one" => readers_wait::<1>(up_to(4), 3),
    "readers_wait/two" => readers_wait::<2>(up_to(4), 1),
    "readers_wait/two_values" => readers_wait::<2>(up_to(3), 2),
    "an_unfenced_wake_is_missed/frames" => an_unfenced_wake_is_missed::<Frames<64>>(),
    "an_unfenced_wake_is_missed/slots_1" => an_unfenced_wake_is_missed::<Slots<1>>(),
    "a_missed_wake_is_healed/frames" => a_missed_wake_is_healed::<Frames<64>>(),
    "a_missed_wake_is_healed/slots_1" => a_missed_wake_is_healed::<Slots<1>>(),
    "a_missed_wake_is_healed/compact_1" => a_missed_wake_is_healed::<Compact<1>>(),
    "sender_dies/frames" => sender_dies::<Frames<64>>(),
    "sender_dies/slots_1" => sender_dies::<Slots<1>>(),
    "sender_dies/compact_1" => sender_dies::<Compact<1>>(),
}

/// ```text
///   producer                              consumer
///   publish                               nothing there
///   fence                                 parked = 1
///   parked? then parked = 0, wake         fence
///                                         nothing there?
///                                         sleep while parked = 1
/// ```
fn recv_waits_for_send<Q: Queue>(search: Search) {
    search.check(|| {
        let region = Region::new(&Q::BLOCKING);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            assert!(sent::<Q>(&mut tx, 1));
            sent::<Q>(&mut tx, 2)
        });
        assert_eq!(Q::recv_timeout(&mut rx, LONG).unwrap().number, 1);
        // The second may have found the queue full.
        if producer.join().unwrap() {
            assert_eq!(Q::recv_timeout(&mut rx, LONG).unwrap().number, 2);
        }
    });
}

/// Up to two preemptions where the consumer is lazy.
///
/// ```text
///   producer                              consumer
///   full: want_space = 1                  take, release: store the head
///   parked = 1                            fence
///   fence                                 parked? then parked = 0, wake
///   still full?
///   sleep while parked = 1
/// ```
fn send_waits_for_recv<Q: Queue>(search: Search, fits: u32) {
    search.check(move || {
        let region = Region::new(&Q::BLOCKING);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        assert!((1..=fits).all(|number| sent::<Q>(&mut tx, 2 * number - 1)));
        let consumer = thread::spawn(move || {
            // Until it finds the queue empty, which is when the last must be released.
            let mut got = drain::<Q>(&mut rx);
            assert!(got.len() as u32 >= fits);
            if got.len() as u32 == fits {
                got.push(Q::recv_timeout(&mut rx, LONG).unwrap());
            }
            numbers(&got)
        });
        Q::send_timeout(&mut tx, 101, LONG).unwrap();
        let mut expected: Vec<_> = (1..=fits).map(|number| 2 * number - 1).collect();
        expected.push(101);
        assert_eq!(consumer.join().unwrap(), expected);
    });
}

/// Both sides wait for each other in turn. Up to three preemptions.
///
/// ```text
///   producer                              consumer
///   send, wait for space, send, ...       wait for a message, take it, wait, ...
/// ```
fn both_wait<Q: Queue>(search: Search) {
    search.check(|| {
        let region = Region::new(&Q::BLOCKING);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            for number in [1, 3, 5] {
                Q::send_timeout(&mut tx, number, LONG).unwrap();
            }
        });
        let got = [(); 3].map(|()| Q::recv_timeout(&mut rx, LONG).unwrap().number);
        assert_eq!(got, [1, 3, 5]);
        producer.join().unwrap();
    });
}

/// One sleeps for two queues. Up to three preemptions.
///
/// ```text
///   producer of a          producer of b          consumer of both
///   publish, fence,        publish, fence,        nothing in a, nothing in b
///   parked? wake           parked? wake           parked = 1, fence
///                                                 nothing in a, nothing in b?
///                                                 sleep while parked = 1
/// ```
fn any_of_two(search: Search) {
    search.check(|| {
        let region = Region::new(&DOORBELL);
        let at = region.join();
        let (mut a, mut b) = (at.typed_consumer::<u32>("a").unwrap(), at.typed_consumer::<u32>("b").unwrap());
        let producers = send_one_through_each(&region);
        let (mut from_a, mut from_b) = (0, 0);
        while from_a + from_b < 2 {
            let which = wait_any(at.port(), &mut [&mut a, &mut b], WaitPolicy::parking(), LONG).unwrap();
            match which {
                0 => from_a += a.try_recv().unwrap(),
                _ => from_b += b.try_recv().unwrap(),
            }
        }
        assert_eq!((from_a, from_b), (1, 1));
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

/// One sleeps for a queue and for an event, which have a word each: the queue's is the consumer's own, the
/// event's counts its wakes. Up to three preemptions.
///
/// ```text
///   producer               notifier               receiver of both
///   publish, fence,        publish, fence,        nothing in either
///   parked? wake           parked? wake           both words parked, a fence behind each
///                                                 nothing in either?
///                                                 sleep while both are as they were set
/// ```
fn any_of_two_words(search: Search) {
    search.check(|| {
        let region = Region::new(&TWO_WORDS);
        let at = region.join();
        let mut queue = at.typed_consumer::<u32>("a").unwrap();
        let mut event = at.listener("e").unwrap();
        let mut tx = region.join().typed_producer::<u32>("a").unwrap();
        let mut notifier = region.join().notifier("e").unwrap();
        let producer = thread::spawn(move || tx.try_send(&1).unwrap());
        let notifies = thread::spawn(move || notifier.notify(1));
        let (mut received, mut counted) = (0, 0);
        while received + counted < 2 {
            match wait_any(at.port(), &mut [&mut queue, &mut event], WaitPolicy::parking(), LONG).unwrap() {
                0 => received += queue.try_recv().unwrap(),
                _ => counted += event.try_wait().map_or(0, |notified| notified.count.get() as u32),
            }
        }
        assert_eq!((received, counted), (1, 1));
        producer.join().unwrap();
        notifies.join().unwrap();
    });
}

/// Several readers wait for one writer, until they have its last value. What one of them does must
/// not undo the wake of another. With one reader, or two and one value, up to four
/// preemptions; with two and two values up to three.
///
/// ```text
///   writer                 reader                 reader
///   publish, fence,        nothing new            nothing new
///   parked? wake all       parked = 1, fence      parked = 1, fence
///                          nothing new?           nothing new?
///                          sleep                  sleep
/// ```
fn readers_wait<const READERS: usize>(search: Search, last: u32) {
    search.check(move || {
        let region = Region::new(&LATEST);
        let mut tx = region.join().latest_writer::<u32>("v").unwrap();
        let readers = [(); READERS].map(|()| {
            let mut rx: LatestReader<u32, Port> = region.join().latest_reader("v").unwrap();
            thread::spawn(move || while rx.wait_for_change(LONG) != Reading::Fresh(last) {})
        });
        (1..=last).for_each(|number| tx.publish(&number));
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// The cost of a sender's missing fence if nothing else is done: in a region where no time passes, the
/// sleeper sleeps for ever.
///
/// ```text
///   producer                              consumer
///   parked? not yet seen                  parked = 1, fence
///   publish, seen late                    nothing there?
///                                         sleep while parked = 1
/// ```
fn an_unfenced_wake_is_missed<Q: Queue>() {
    ALL.finds_a_deadlock(|| {
        let region = Region::new(&Q::BLOCKING);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        Q::unfenced(&mut tx);
        let producer = thread::spawn(move || assert!(sent::<Q>(&mut tx, 1)));
        assert_eq!(Q::recv_timeout(&mut rx, LONG).unwrap().number, 1);
        producer.join().unwrap();
    });
}

/// And what heals it: the sleeper looks again after its probe period, whether it was woken or not.
fn a_missed_wake_is_healed<Q: Queue>() {
    ALL.check(move || {
        let region = Region::time_passes(&Q::BLOCKING);
        let (at, there) = (region.join(), region.join());
        let mut tx = Q::tx(&at).unwrap();
        let mut rx = Q::rx(&there, ConsumerOptions::new()).unwrap();
        Q::unfenced(&mut tx);
        let clock = there.port().clone();
        let producer = thread::spawn(move || {
            assert!(sent::<Q>(&mut tx, 1));
            // By the consumer's clock: what is published now was published by then.
            now(&clock)
        });
        let got = in_three_probes::<Q>(&mut rx);
        let received_at = now(there.port());
        let sent_at = producer.join().unwrap();
        assert_in_time(got, received_at, sent_at, || true);
    });
}

/// The message, if it comes within three probe periods.
fn in_three_probes<Q: Queue>(rx: &mut Q::Rx) -> Option<Got> {
    match Q::recv_timeout(rx, 3 * PROBE) {
        Ok(got) => Some(got),
        Err(error) => {
            assert_eq!(error, RecvError::TimedOut);
            None
        }
    }
}

/// The sender dies anywhere, also between its publication and its wake. What it published is
/// received one probe period later at the latest; what it did not, never.
///
/// ```text
///   producer                              consumer
///   publish                               nothing there
///   (killed somewhere here)               parked = 1, nothing there
///   parked? then parked = 0, wake         sleep, for a probe period at most
/// ```
fn sender_dies<Q: Queue>() {
    ALL.each_death(move |death| {
        let region = Region::time_passes(&Q::BLOCKING);
        let (at, there) = (region.join(), region.join());
        let tx = Q::tx(&at).unwrap();
        let mut rx = Q::rx(&there, ConsumerOptions::new()).unwrap();
        let producer = send_and_die::<Q>(death, at, tx, there.port().clone());
        let got = in_three_probes::<Q>(&mut rx);
        let received_at = now(there.port());
        let sent_at = producer.join().unwrap();
        assert_in_time(got, received_at, sent_at, || received::<Q>(&mut rx).is_some());
    });
}
