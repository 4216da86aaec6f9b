//! How much comes again after a consumer's end: no more than its options say, whichever call receives, and
//! never what made it panic.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::{Channel, Consumer, ConsumerOptions, Plan, TypedConsumer};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("slots", 64),
    Channel::compact::<u32>("compact", 64),
    Channel::frames("frames", 1024, 16),
    Channel::slots::<u32>("four", 4),
])
.line(4)
.participants(6);

const VALUES: [&str; 3] = ["slots", "compact", "four"];

/// A region in which the numbers from 0 were sent through the queue of this name, which takes 20 or 4.
fn sent(name: &str) -> (Region, Member, u32) {
    let region = Region::new(&PLAN);
    let producer = region.join();
    let count = if name == "four" { 4 } else { 20 };
    match name {
        "frames" => {
            let mut tx = producer.producer(name).unwrap();
            (0..count).for_each(|tag| tx.try_send(tag, &[]).unwrap());
        }
        _ => {
            let mut tx = producer.typed_producer::<u32>(name).unwrap();
            (0..count).for_each(|value| tx.try_send(&value).unwrap());
        }
    }
    let consumer = region.join();
    (region, consumer, count)
}

fn values(member: &Member, name: &str, every: u32) -> TypedConsumer<u32, TestPort> {
    member.typed_consumer_with(name, ConsumerOptions::new().release_every(every)).unwrap()
}

fn frames(member: &Member, every: u32) -> Consumer<TestPort> {
    member.consumer_with("frames", ConsumerOptions::new().release_every(every)).unwrap()
}

/// How many come again that were done with, if `each` is where the consumer dies: one or more before this
/// one, whose number it is, that the region does not know of.
fn again(region: &Region, name: &str, number: u32) -> u32 {
    // The word behind the head is the number of the first message not released.
    number - region.peek(region.entry(name).block_b + at::HEAD_SEQUENCE)
}

#[test]
fn a_batch_keeps_the_bound_of_release_every() {
    for name in VALUES {
        for every in [1, 2, 4, 64] {
            let (region, consumer, count) = sent(name);
            let mut rx = values(&consumer, name, every);
            let (mut worst, mut number) = (0, 0);
            let received = rx.recv_batch(20, |_| {
                worst = worst.max(again(&region, name, number));
                number += 1;
            });
            assert_eq!(received, Ok(count as usize));
            let bound = every.min(region.entry(name).capacity / 4);
            assert!(worst < bound, "{name}, every {every}: {worst} that were done with come again");
        }
    }
    for every in [1, 2, 4] {
        let (region, consumer, _) = sent("frames");
        let (mut worst, mut number) = (0, 0);
        let received = frames(&consumer, every).recv_batch(20, |_| {
            worst = worst.max(again(&region, "frames", number));
            number += 1;
        });
        assert!(received == Ok(20) && worst < every, "every {every}: {worst}");
    }
}

/// What was received before the batch is done with as soon as the batch has something.
#[test]
fn a_batch_after_a_receive_keeps_the_bound() {
    for name in VALUES {
        for every in [1, 2, 4] {
            let (region, consumer, _) = sent(name);
            let mut rx = values(&consumer, name, every);
            assert_eq!(rx.try_recv(), Ok(0));
            let mut number = 1;
            let received = rx.recv_batch(2, |_| {
                let again = again(&region, name, number);
                assert!(again < every, "{name}, every {every}: {again} come again with {number}");
                number += 1;
            });
            assert_eq!(received, Ok(2));
        }
    }
    let (region, consumer, _) = sent("frames");
    let mut rx = frames(&consumer, 1);
    rx.try_recv(&mut [0; 16]).unwrap();
    let peek = rx.peek().unwrap();
    assert_eq!(again(&region, "frames", peek.info().sequence), 0);
}

/// The same with an heir: killed in the second message, with none to come again, it leaves that and the
/// rest.
#[test]
fn a_consumer_killed_in_a_batch_leaves_what_it_had_in_its_hands() {
    for name in VALUES {
        let (region, consumer, count) = sent(name);
        let mut rx = values(&consumer, name, 1);
        let mut left = Vec::new();
        let _ = rx.recv_batch(20, |value| {
            if value == 1 {
                // As memory is now, all having died.
                let region = region.after_death_of_all();
                let mut heir = values(&region.join(), name, 1);
                left.extend(std::iter::from_fn(|| heir.try_recv().ok()));
            }
        });
        assert_eq!(left, (1..count).collect::<Vec<_>>(), "{name}");
    }
}

/// Runs what panics, without a word on the terminal.
fn panicking(what: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(what)).is_err());
}

fn oops<T>() -> T {
    resume_unwind(Box::new("the consumer cannot stand this message"))
}

/// Four consumers, one after the other, each of which panics with its first message.
fn each_panics(name: &str, mut first: impl FnMut(&Member) -> u32) -> Vec<u32> {
    let (_region, consumer, _) = sent(name);
    let mut seen = Vec::new();
    for _ in 0..4 {
        panicking(|| {
            seen.push(first(&consumer));
        });
    }
    seen
}

#[test]
fn a_message_that_panics_its_consumer_does_not_come_for_ever() {
    for name in VALUES {
        let mut seen = Vec::new();
        each_panics(name, |consumer| {
            let mut rx = values(consumer, name, 64);
            seen.push(rx.try_recv().unwrap());
            oops()
        });
        assert_eq!(seen, [0, 1, 2, 3], "{name}, try_recv");
        seen.clear();
        each_panics(name, |consumer| {
            let mut rx = values(consumer, name, 64);
            let _ = rx.recv_batch(3, |value| {
                seen.push(value);
                oops()
            });
            0
        });
        assert_eq!(seen, [0, 1, 2, 3], "{name}, recv_batch");
    }
    let mut seen = Vec::new();
    each_panics("frames", |consumer| {
        let _ = frames(consumer, 64).recv_batch(3, |peek| {
            seen.push(peek.info().tag);
            oops()
        });
        0
    });
    assert_eq!(seen, [0, 1, 2, 3], "frames, recv_batch");
    seen.clear();
    each_panics("frames", |consumer| {
        let mut rx = frames(consumer, 64);
        let peek = rx.peek().unwrap();
        seen.push(peek.info().tag);
        oops()
    });
    assert_eq!(seen, [0, 1, 2, 3], "frames, peek");
}

/// A consumer that outlives the panic sees the message again, and goes on as ever.
#[test]
fn a_batch_that_panicked_shows_the_message_again_to_who_lives() {
    for name in VALUES {
        let (_region, consumer, count) = sent(name);
        let mut rx = values(&consumer, name, 64);
        panicking(|| {
            let _ = rx.recv_batch(3, |value| {
                if value == 1 {
                    oops()
                }
            });
        });
        assert_eq!((rx.try_recv(), rx.sequence()), (Ok(1), 1), "{name}");
        drop(rx);
        let mut rx = values(&consumer, name, 64);
        assert_eq!(rx.recv_batch(1, |value| assert_eq!(value, 2)), Ok(1));
        assert_eq!(std::iter::from_fn(|| rx.try_recv().ok()).count() as u32, count - 3, "{name}");
    }
    let (_region, consumer, _) = sent("frames");
    let mut rx = frames(&consumer, 64);
    panicking(|| {
        let _ = rx.recv_batch(3, |peek| {
            if peek.info().tag == 1 {
                oops()
            }
        });
    });
    assert_eq!(rx.peek().map(|peek| peek.info().tag), Ok(1));
    drop(rx);
    let mut rx = frames(&consumer, 64);
    assert_eq!(rx.try_recv(&mut [0; 16]).map(|got| got.tag), Ok(1), "a peek that was dropped is no receive");
}

/// Without a panic, a peek that is dropped changes nothing.
#[test]
fn a_peek_that_is_dropped_leaves_the_frame() {
    let (_region, consumer, _) = sent("frames");
    let mut rx = frames(&consumer, 64);
    assert_eq!(rx.peek().map(|peek| peek.info().tag), Ok(0));
    drop(rx);
    let mut rx = frames(&consumer, 64);
    assert_eq!(rx.try_recv(&mut [0; 16]).map(|got| got.tag), Ok(0));
}

#[cfg(feature = "embedded-io-07")]
mod pipes {
    use std::time::Duration;

    use embedded_io::{BufRead, Read, Write};
    use strait_core::{RingReader, RingWriter};

    use super::{PLAN, Region};

    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

    /// Reads all there is, a byte at a time.
    fn rest(region: &Region) -> Vec<u8> {
        let mut rx = RingReader::new(region.join().consumer("frames").unwrap(), Duration::ZERO, &mut []);
        let mut byte = [0];
        std::iter::from_fn(|| rx.read(&mut byte).is_ok().then_some(byte[0])).collect()
    }

    /// Every frame was read to its end, whatever the consumer's options are: none comes again.
    #[test]
    fn a_successor_does_not_read_whole_frames_again() {
        for buffered in [false, true] {
            let region = Region::new(&PLAN);
            let mut tx = RingWriter::new(region.join().producer("frames").unwrap(), Duration::ZERO);
            LETTERS.iter().for_each(|&letter| tx.write_all(&[letter]).unwrap());
            let reader = region.join();
            let mut bounce = [0; 64];
            let mut rx = RingReader::new(reader.consumer("frames").unwrap(), Duration::ZERO, &mut bounce);
            for &letter in &LETTERS[..20] {
                let mut byte = [0];
                if buffered {
                    byte.copy_from_slice(rx.fill_buf().unwrap());
                    rx.consume(1);
                } else {
                    assert_eq!(rx.read(&mut byte), Ok(1));
                }
                assert_eq!(byte, [letter]);
            }
            reader.die(rx);
            assert_eq!(rest(&region), LETTERS[20..], "buffered: {buffered}");
        }
    }

    /// The frame that a dead reader was in the middle of comes again, and no other.
    #[test]
    fn a_successor_reads_the_frame_again_that_was_half_read() {
        let region = Region::new(&PLAN);
        let mut tx = RingWriter::new(region.join().producer("frames").unwrap(), Duration::ZERO);
        LETTERS[..20].chunks(10).for_each(|chunk| tx.write_all(chunk).unwrap());
        let reader = region.join();
        let mut rx = RingReader::new(reader.consumer("frames").unwrap(), Duration::ZERO, &mut []);
        rx.read_exact(&mut [0; 15]).unwrap();
        reader.die(rx);
        assert_eq!(rest(&region), LETTERS[10..20]);
    }
}
