//! Bugs of other queues, one test each, named after where they were reported. A line describes the bug;
//! the test does here what triggered it there.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::words::Words;
use crate::common::{Member, Region, raw};
use strait_core::ground::entry::at;
use strait_core::ground::plan::Fault;
use strait_core::ground::sync::{Word, WordRef};
use strait_core::port::RELAXED;
use strait_core::protocol::latest::{Attempt, attempt};
use strait_core::protocol::{Nothing, compact};
use strait_core::{Channel, ChannelError, Message, Plan, Reading, StaticQueue, TryRecvError, TrySendError};

fn region(channels: &[Channel<'_>]) -> (Region, Member, Member) {
    let region = Region::new(&Plan::new(channels).line(4).participants(3));
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// Sets a queue of values to the state after this many were sent and received.
fn set_position(region: &Region, name: &str, position: u32) {
    let entry = region.entry(name);
    region.poke(entry.block_a + at::MARK, position);
    region.poke(entry.block_b + at::HEAD, position);
    if entry.kind == strait_core::format::Kind::Slots {
        for back in 1..=entry.capacity {
            let last = position.wrapping_sub(back);
            let slot = entry.data + (last & (entry.capacity - 1)) * entry.stride;
            region.poke(slot + entry.stride - 4, last.wrapping_add(1));
        }
    }
}

/// heapless #121: after 255 round trips a dequeue from the empty queue looped for ever, where the
/// position had wrapped in its eight bits.
#[test]
fn heapless_121_an_empty_queue_answers_after_any_number_of_round_trips() {
    let (region, a, b) = region(&[Channel::slots::<u8>("slots", 2), Channel::compact::<u8>("compact", 2)]);
    for name in ["slots", "compact"] {
        for start in [0, 1 << 15, (1 << 16) - 300, (1 << 31) - 300, 0_u32.wrapping_sub(300)] {
            set_position(&region, name, start);
            let mut tx = a.typed_producer::<u8>(name).unwrap();
            let mut rx = b.typed_consumer::<u8>(name).unwrap();
            for trip in 0..600_u32 {
                tx.try_send(&(trip as u8)).unwrap();
                assert_eq!(rx.try_recv(), Ok(trip as u8));
                assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}, {trip} after {start}");
            }
        }
    }
}

/// heapless #243: with a capacity that was no power of two, dequeue looped or panicked.
#[test]
fn heapless_243_capacities_are_powers_of_two_or_refused() {
    for capacity in [3, 5, 6, 7, 12, 1000] {
        for channel in [Channel::slots::<i32>("q", capacity), Channel::compact::<i32>("q", capacity)] {
            assert_eq!(Plan::new(&[channel]).try_size().unwrap_err().fault, Fault::Capacity);
        }
        // A directory with that number is refused as well.
        let (region, ..) = region(&[Channel::slots::<i32>("q", 4)]);
        let mut image = region.bytes();
        image[128 + 44..128 + 48].copy_from_slice(&u32::to_le_bytes(capacity));
        raw::seal(&mut image);
        let forged = Region::from_bytes(&image);
        let refused = forged.join().typed_consumer::<i32>("q").err();
        assert_eq!(refused, Some(ChannelError::Damaged("geometry")));
    }
}

/// heapless #461: a send to a full queue of 256 or more looped for ever, because the difference of
/// two positions was taken in too few bits.
#[test]
fn heapless_461_a_full_queue_of_any_size_refuses() {
    for capacity in [128, 256, 512, 65_536, 131_072] {
        let channels = [Channel::slots::<u8>("slots", capacity), Channel::compact::<u8>("compact", capacity)];
        let (_region, a, b) = region(&channels);
        for name in ["slots", "compact"] {
            let mut tx = a.typed_producer::<u8>(name).unwrap();
            let mut rx = b.typed_consumer::<u8>(name).unwrap();
            for _ in 0..capacity {
                tx.try_send(&0xAA).unwrap();
            }
            assert_eq!(tx.try_send(&0x55), Err(TrySendError::Full));
            assert_eq!((tx.len(), rx.len()), (capacity, capacity));
            assert!((0..capacity).all(|_| rx.try_recv() == Ok(0xAA)));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        }
    }
    static QUEUE: StaticQueue<u8, 256> = StaticQueue::new();
    let mut tx = QUEUE.take_producer().unwrap();
    assert_eq!((0..257).map(|_| tx.push(1)).filter(Result::is_err).count(), 1);
}

/// iceoryx2 #986: with both indices at 2^32 - 1, ten pushes overwrote what was still in the queue.
#[test]
fn iceoryx2_986_nothing_is_overwritten_where_the_indices_wrap() {
    for before in 0..20 {
        let channels = [Channel::slots::<i64>("slots", 16), Channel::compact::<i64>("compact", 16)];
        let (region, a, b) = region(&channels);
        for name in ["slots", "compact"] {
            set_position(&region, name, 0_u32.wrapping_sub(before));
            let mut tx = a.typed_producer::<i64>(name).unwrap();
            let mut rx = b.typed_consumer::<i64>(name).unwrap();
            for value in 0..16 {
                tx.try_send(&value).unwrap();
                assert_eq!((tx.len(), rx.len()), (value as u32 + 1, value as u32 + 1));
            }
            assert_eq!(tx.try_send(&99), Err(TrySendError::Full));
            for value in 0..16 {
                assert_eq!(rx.try_recv(), Ok(value), "{name}, {before} before the wrap");
            }
        }
        // The same in the protocol of the stand-alone queue, whose indices cannot be set.
        let start = 0_u32.wrapping_sub(before);
        let [tail, head] = [(); 2].map(|()| WordRef::from(&*Box::leak(Box::new(Word::new(start)))));
        let mut tx = compact::Producer::adopt(tail.clone(), &head, 16, 0).unwrap();
        let mut rx = compact::Consumer::adopt(&head, 16, 1, false);
        for place in 0..16 {
            assert!(tx.space.has(1) || tx.space.look(1, &head) == Ok(true));
            assert_eq!(tx.space.tail(), start.wrapping_add(place));
            tx.commit(start.wrapping_add(place + 1));
        }
        assert!(!tx.space.has(1));
        assert_eq!(tx.space.look(1, &head), Ok(false));
        for place in 0..16 {
            let position = start.wrapping_add(place);
            assert_eq!(rx.look(&tail), Ok(position));
            assert!(rx.head.advance(1));
            rx.head.store(&head);
        }
        assert_eq!(rx.look(&tail), Err(Nothing::Empty));
        assert_eq!(head.load(RELAXED), start.wrapping_add(16));
    }
}

/// iceoryx2 #118: a pop answered that the queue was empty while it was full, because it read the two
/// positions at different moments. A consumer of a queue that is never empty must never see it empty.
#[test]
fn iceoryx2_118_a_full_queue_is_never_empty() {
    let channels = [Channel::slots::<u32>("slots", 1), Channel::compact::<u32>("compact", 2)];
    for (name, capacity) in [("slots", 1), ("compact", 2)] {
        let (_region, a, b) = region(&channels);
        let mut tx = a.typed_producer::<u32>(name).unwrap();
        let mut rx = b.typed_consumer::<u32>(name).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut value = 0;
                while !over.load(Relaxed) {
                    value += u32::from(tx.try_send(&value).is_ok());
                }
            });
            let (started, mut expected) = (Instant::now(), 0);
            while started.elapsed() < Duration::from_millis(200) || expected < 10 {
                assert!(started.elapsed() < Duration::from_secs(60), "the queue was full {expected} times");
                if rx.len() == capacity {
                    assert!(!rx.is_empty());
                    assert_eq!(rx.try_recv(), Ok(expected), "full a moment ago, and nobody else takes");
                    expected += 1;
                }
                rx.release();
            }
            over.store(true, Relaxed);
        });
    }
}

/// The same by a death: a producer commits and dies before it can note how much it has sent. What can
/// be received is not nothing.
#[test]
fn iceoryx2_118_what_can_be_received_is_not_empty() {
    let channels = [Channel::frames("frames", 64, 16), Channel::slots::<u32>("slots", 4)];
    let (region, _, b) = region(&channels);
    let before = region.bytes();
    let mut stores = raw::frame(&before, &region.entry("frames"), 1, b"last words");
    stores.truncate(stores.len() - 2);
    let value = raw::slot(&before, &region.entry("slots"), &7_u32.to_le_bytes());
    stores.extend_from_slice(&value[..value.len() - 1]);
    stores.iter().for_each(|store| region.write(store.at, &store.bytes));

    let mut frames = b.consumer("frames").unwrap();
    assert!(!frames.is_empty());
    assert_eq!(frames.try_recv(&mut [0; 16]).map(|got| got.tag), Ok(1));
    assert!(frames.is_empty(), "the one in use is not counted");
    let mut slots = b.typed_consumer::<u32>("slots").unwrap();
    assert!(!slots.is_empty());
    assert_eq!((slots.try_recv(), slots.is_empty()), (Ok(7), true));
}

/// agrona #22: a header in the last bytes of the buffer was mishandled.
#[test]
fn agrona_22_a_header_in_the_last_granule() {
    for len in [0, 1, 16, 17, 48] {
        let (region, a, b) = region(&[Channel::frames("q", 128, 48)]);
        let (mut tx, mut rx) = (a.producer("q").unwrap(), b.consumer("q").unwrap());
        for _ in 0..7 {
            tx.try_send(0, &[]).unwrap();
        }
        assert_eq!(rx.recv_batch(9, |_| ()), Ok(7));
        rx.flush();
        // The tail is 16 bytes before the end: an empty frame fits there, any other goes behind a pad.
        tx.try_send(1, &vec![3; len]).unwrap();
        let last = region.peek(region.entry("q").data + 112);
        assert_eq!(last, if len == 0 { 1 << 31 } else { u32::MAX });
        let frame = rx.try_recv_frame::<48>().unwrap();
        assert_eq!((frame.tag(), frame.payload()), (1, &vec![3; len][..]));
        assert_eq!(rx.try_recv(&mut []), Err(TryRecvError::Empty));
    }
}

type Big = [u64; 64];

fn big(number: u64) -> Big {
    std::array::from_fn(|i| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ i as u64)
}

/// triple-buffer #14: writer and reader could touch one buffer at once. Here the buffer that is
/// newest, which readers read, is not touched by any store of the next write.
#[test]
fn triple_buffer_14_the_newest_value_is_left_alone() {
    for buffers in [2, 4] {
        let (region, a, _) = region(&[Channel::latest::<Big>("v").buffers(buffers)]);
        let entry = region.entry("v");
        let mut writer = a.latest_writer::<Big>("v").unwrap();
        for number in 1..10 {
            writer.publish(&big(number));
            let before = region.bytes();
            let newest = raw::load(&before, entry.block_a + at::NEWEST) / 2 % buffers;
            let start = (entry.data + newest * entry.stride) as usize;
            let buffer = start..start + entry.stride as usize;
            let stores = raw::latest(&before, &entry, 0, &[0xFF; 512]);
            for image in raw::deaths(&before, &stores) {
                assert_eq!(image[buffer.clone()], before[buffer.clone()]);
            }
            // And the endpoint does just these stores, in whatever order.
            let twin = region.after_death_of_all();
            let mut next = twin.join().latest_writer::<Big>("v").unwrap();
            next.publish(&[u64::MAX; 64]);
            let block = entry.block_a as usize..(entry.data + buffers * entry.stride) as usize;
            assert_eq!(twin.bytes()[block.clone()], raw::deaths(&before, &stores).last().unwrap()[block]);
        }
    }
}

/// dora #3288: the sequence was not read again after the copy, as far as the hardware knew. Any store
/// that a writer does to the buffer while it is copied must be noticed by the second look. (The orderings
/// themselves are the models' business.)
#[test]
fn dora_3288_the_second_look_comes_after_the_copy() {
    let (region, a, _) = region(&[Channel::latest::<Big>("v")]);
    let entry = region.entry("v");
    let mut writer = a.latest_writer::<Big>("v").unwrap();
    writer.publish(&big(1));
    writer.publish(&big(2));
    // The write after the next is to the buffer that a reader may be copying from.
    let before = region.bytes();
    let mut stores = raw::latest(&before, &entry, 0, &[1; 512]);
    let mut between = before.clone();
    raw::apply(&mut between, &stores);
    let next = stores.len();
    stores.extend(raw::latest(&between, &entry, 0, &[2; 512]));
    let newest = Words(&region, &entry).newest();
    for count in 0..=stores.len() {
        region.write(0, &before);
        let result = attempt(newest, &Words(&region, &entry), 2, |_| {
            stores[..count].iter().for_each(|store| region.write(store.at, &store.bytes));
        });
        match result {
            Attempt::Complete(version) => {
                assert_eq!((version.number(), count <= next), (2, true), "{count} stores")
            }
            Attempt::Again => assert!(count > next, "{count} stores did not touch the buffer"),
            Attempt::Empty => panic!("something was published"),
        }
    }
}

/// The same with a writer that hardly ever stops, and a value long enough to be caught in the middle.
#[test]
fn dora_3288_a_long_value_is_never_torn() {
    let (region, a, _) = region(&[Channel::latest::<Big>("v")]);
    let mut writer = a.latest_writer::<Big>("v").unwrap();
    let mut reader = region.look().latest_reader::<Big>("v").unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !over.load(Relaxed) {
                number += 1;
                writer.publish(&big(number));
                if number.is_multiple_of(256) {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
        });
        let (start, mut fresh) = (Instant::now(), 0);
        // A busy machine may let the reader run but seldom.
        let enough = |fresh| start.elapsed() > Duration::from_millis(300) && fresh > 0;
        while !enough(fresh) && start.elapsed() < Duration::from_secs(30) {
            if let Reading::Fresh(value) = reader.read() {
                assert_eq!(value, big(reader.info().unwrap().number), "torn");
                fresh += 1;
            }
        }
        over.store(true, Relaxed);
        println!("{fresh} values of {} bytes", size_of::<Big>());
        assert!(fresh > 0 && Big::HASH != 0);
    });
}
