//! The broadcast: what readers receive, what they are told that they lost, and what a writer that dies or lies
//! does to them. FAULTS 23, 31, 38, 67 and 68.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::seed::{Rng, seed};
use crate::common::words::{Words, set_version};
use crate::common::{Region, TestPort, raw};
use strait_core::format::{ValueType, inspect, participants};
use strait_core::ground::entry::at;
use strait_core::protocol::broadcast::{Look, Reader};
use strait_core::{
    BroadcastReader, BroadcastRecvError, BroadcastStart as Start, BroadcastTryRecvError as Nothing,
    BroadcastWriter, Channel, ChannelError, Message, Plan, PublishError, ValueInfo, Violation,
};

type Value = [u64; 8];
type Writer = BroadcastWriter<Value, TestPort>;
type Follower = BroadcastReader<Value, TestPort>;

const CHANNELS: &[Channel<'_>] = &[
    Channel::broadcast::<Value>("2", 2),
    Channel::broadcast::<Value>("4", 4).consumer_may_block(),
    Channel::broadcast::<Value>("16", 16),
    Channel::broadcast_bytes("bytes", 4, 24),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(64).participants(4);
const RINGS: [(&str, u64); 3] = [("2", 2), ("4", 4), ("16", 16)];
const LONG: Duration = Duration::from_secs(30);

fn value(number: u64) -> Value {
    std::array::from_fn(|i| number.rotate_left(i as u32 * 8))
}

fn bytes_of(value: &Value) -> Vec<u8> {
    value.iter().flat_map(|part| part.to_le_bytes()).collect()
}

fn writer(region: &Region, name: &str) -> Writer {
    region.join().broadcast_writer(name).unwrap()
}

fn reader(region: &Region, name: &str, start: Start) -> Follower {
    region.look().broadcast_reader(name, start).unwrap()
}

/// Everything that there is to receive, with the losses.
fn drain(reader: &mut Follower) -> (Vec<u64>, u64) {
    let (mut received, mut lost) = (Vec::new(), 0);
    loop {
        match reader.try_recv() {
            Ok(got) => {
                assert_eq!(got, value(reader.info().unwrap().number));
                received.push(got[0]);
            }
            Err(Nothing::Lagged { lost: more }) => lost += more,
            Err(Nothing::Empty) => return (received, lost),
            Err(other) => panic!("{other:?} of an honest writer"),
        }
    }
}

#[test]
fn each_reader_receives_each_value_once() {
    for (name, capacity) in RINGS {
        let region = Region::new(&PLAN);
        let mut readers = [Start::Newest, Start::Oldest].map(|start| reader(&region, name, start));
        let mut writer = writer(&region, name);
        for number in 1..=5 * capacity {
            writer.publish_tagged(number as u32, &value(number));
            for reader in &mut readers {
                assert_eq!(reader.next_number(), number);
                assert_eq!((reader.try_recv(), reader.try_recv()), (Ok(value(number)), Err(Nothing::Empty)));
                assert_eq!(reader.info(), Some(ValueInfo { tag: number as u32, len: 64, number }));
            }
        }
        assert_eq!(writer.published(), 5 * capacity);
    }
}

/// Late joiners start at the newest value, or so far back that the writer takes a quarter of the ring before it
/// comes there.
#[test]
fn late_joiners_start_where_they_say() {
    for (name, capacity) in RINGS {
        let region = Region::new(&PLAN);
        let mut writer = writer(&region, name);
        for published in 1..=3 * capacity {
            writer.publish(&value(published));
            assert_eq!(drain(&mut reader(&region, name, Start::Newest)), (vec![published], 0));
            let first = published.saturating_sub(capacity * 3 / 4 - 1).max(1);
            let mut oldest = reader(&region, name, Start::Oldest);
            assert_eq!(drain(&mut oldest), ((first..=published).collect(), 0));
        }
        let mut oldest = reader(&region, name, Start::Oldest);
        let first = oldest.next_number();
        for number in 1..=capacity - capacity * 3 / 4 {
            writer.publish(&value(3 * capacity + number));
        }
        let all = (first..=writer.published()).collect();
        assert_eq!(drain(&mut oldest), (all, 0), "a quarter of the ring later, nothing is lost");
    }
}

/// FAULT 79: The count of losses is no guess: in random schedules, what is received and what is lost add up to what
/// was published, after each call.
#[test]
fn fault_79_losses_are_counted_exactly() {
    let mut rng = Rng::new(seed());
    for round in 0..60 {
        let (name, capacity) = RINGS[round % RINGS.len()];
        let region = Region::new(&PLAN);
        let mut writer = writer(&region, name);
        let start = if rng.below(2) == 0 { Start::Newest } else { Start::Oldest };
        let mut readers = [(); 2].map(|()| (reader(&region, name, start), 1));
        for _ in 0..200 {
            for _ in 0..rng.below(2 * capacity as usize) {
                writer.publish(&value(writer.published() + 1));
            }
            let (reader, next) = &mut readers[rng.below(2)];
            for _ in 0..rng.below(capacity as usize) {
                let published = writer.published();
                match reader.try_recv() {
                    Ok(got) => {
                        assert_eq!(got, value(*next));
                        *next += 1;
                    }
                    Err(Nothing::Lagged { lost }) => {
                        assert!(published >= *next + capacity, "nothing was overwritten yet");
                        *next += lost;
                        let back = if start == Start::Newest { 1 } else { capacity * 3 / 4 };
                        assert_eq!(*next, published + 1 - back);
                    }
                    other => {
                        assert_eq!((other, *next), (Err(Nothing::Empty), published + 1));
                        break;
                    }
                }
                assert_eq!(reader.next_number(), *next);
            }
        }
        for (reader, next) in &mut readers {
            let (received, lost) = drain(reader);
            assert_eq!(*next + received.len() as u64 + lost, writer.published() + 1);
        }
    }
}

/// FAULT 79: The same while the writer runs: nothing is torn, nothing comes twice, no number is missing.
#[test]
fn fault_79_losses_are_counted_exactly_while_the_writer_runs() {
    for (name, _) in RINGS {
        let region = Region::new(&PLAN);
        let mut writer = writer(&region, name);
        let over = AtomicBool::new(false);
        let follow = |mut reader: Follower| {
            let (mut received, mut lost, mut next) = (0, 0, 1);
            loop {
                let ended = over.load(Relaxed);
                match reader.try_recv() {
                    Ok(got) => {
                        assert_eq!(got, value(next), "torn, or another one");
                        (received, next) = (received + 1, next + 1);
                    }
                    Err(Nothing::Lagged { lost: more }) => (lost, next) = (lost + more, next + more),
                    Err(Nothing::Contended) => {}
                    Err(Nothing::Empty) if ended => return (received, lost),
                    Err(Nothing::Empty) => std::hint::spin_loop(),
                    Err(error) => panic!("{error:?} of an honest writer"),
                }
            }
        };
        let (published, seen) = std::thread::scope(|scope| {
            let readers = [Start::Oldest, Start::Newest].map(|start| {
                let reader = reader(&region, name, start);
                scope.spawn(|| follow(reader))
            });
            let end = Instant::now() + Duration::from_millis(300);
            while Instant::now() < end {
                let number = writer.published() + 1;
                writer.publish(&value(number));
                if number.is_multiple_of(512) {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            over.store(true, Relaxed);
            (writer.published(), readers.map(|reader| reader.join().unwrap()))
        });
        println!("{name} slots: {published} published, received and lost: {seen:?}");
        for (received, lost) in seen {
            assert_eq!(received + lost, published);
        }
    }
}

/// FAULT 79: A reader that is overtaken in the middle of its copy uses nothing of it, with any number of values
/// written meanwhile.
#[test]
fn fault_79_overtaken_in_its_copy_it_believes_nothing() {
    for (name, capacity) in RINGS {
        for writes in 0..3 * capacity {
            let region = Region::new(&PLAN);
            let entry = region.entry(name);
            let words = Words(&region, &entry);
            let mut writer = writer(&region, name);
            writer.publish(&value(1));
            let mut reader = Reader::start(words.newest(), &words, entry.capacity, Start::Newest);
            let mut copied = vec![0; 64];
            let look = reader.look(&words, |index| {
                let from = entry.data + index * entry.stride + at::VALUE;
                region.read(from, &mut copied[..32]);
                (0..writes).for_each(|_| writer.publish(&value(writer.published() + 1)));
                region.read(from + 32, &mut copied[32..]);
            });
            match look {
                Look::Complete(version) => {
                    assert!(writes < capacity, "{writes} writes went unnoticed");
                    assert_eq!((version.number(), copied), (1, bytes_of(&value(1))));
                }
                other => assert_eq!((other, writes >= capacity), (Look::Overtaken, true)),
            }
        }
    }
}

/// FAULT 80: Whoever only looks, as a recorder does, takes no place, stores nothing, and costs the writer nothing.
#[test]
fn fault_80_a_recorder_takes_no_place_and_stores_nothing() {
    let region = Region::new(&PLAN);
    let mut writer = writer(&region, "4");
    (1..=6).for_each(|number| writer.publish(&value(number)));
    let before = region.bytes();
    let mut recorders: Vec<_> = (0..20).map(|_| reader(&region, "4", Start::Oldest)).collect();
    for recorder in &mut recorders {
        assert_eq!(drain(recorder), (vec![4, 5, 6], 0));
        assert_eq!(recorder.recv_timeout(Duration::from_millis(2)), Err(BroadcastRecvError::TimedOut));
    }
    let look = region.look();
    let state = inspect::channel_state(region.mem(), look.header().line, &region.entry("4"));
    assert_eq!((state.sent, state.len, state.producer.map(|who| who.place())), (6, 4, Some(1)));
    assert_eq!(participants::list(region.mem(), look.header(), look.port()).count(), 1);
    assert_eq!(region.bytes(), before);
}

/// FAULT 23: The writer dies between any two stores. Readers receive what was published and wait; the successor
/// goes on with the next number, and no number has two values. Also where the count wraps into the lap.
#[test]
fn fault_23_a_broadcast_writer_dies_between_any_two_stores() {
    for (name, capacity) in RINGS {
        for start in [0, 2, 4, 34, 0_u32.wrapping_sub(4), 0_u32.wrapping_sub(2)] {
            let region = Region::new(&PLAN);
            let entry = region.entry(name);
            let old = u64::from(start / 2);
            for number in old.saturating_sub(capacity - 1).max(1)..=old {
                set_version(&region, &entry, 0, (number as u32) << 1, &bytes_of(&value(100)));
            }
            let before = region.bytes();
            let stores = raw::latest(&before, &entry, 0, &bytes_of(&value(101)));
            for (step, image) in raw::deaths(&before, &stores).iter().enumerate() {
                let region = Region::from_bytes(image);
                let mut early = reader(&region, name, Start::Newest);
                // The value is complete with its count, the last store but one; the last store names it.
                let (complete, named) = (step + 1 >= stores.len(), step == stores.len());
                let mut expected = Vec::new();
                expected.extend((start != 0 && !named).then_some(value(100)));
                expected.extend(complete.then_some(value(101)));
                let received: Vec<_> = std::iter::from_fn(|| early.try_recv().ok()).collect();
                assert_eq!(received, expected, "step {step}");
                assert_eq!(early.try_recv(), Err(Nothing::Empty), "step {step}");
                let mut writer = writer(&region, name);
                assert_eq!(writer.published(), old + u64::from(complete), "step {step}");
                let late = reader(&region, name, Start::Newest);
                assert_eq!(late.next_number(), writer.published().max(1));
                let first = early.next_number();
                for number in 200..200 + capacity / 2 {
                    writer.publish(&value(number));
                    assert_eq!(early.try_recv(), Ok(value(number)), "step {step}");
                }
                assert_eq!(early.next_number(), first + capacity / 2);
            }
        }
    }
}

/// FAULT 31: The count wraps after 2^31 values. Readers that follow notice nothing; one that slept for as long is
/// told exactly what it lost.
#[test]
fn fault_31_a_broadcasts_count_wraps() {
    for (name, capacity) in RINGS {
        let region = Region::new(&PLAN);
        let entry = region.entry(name);
        let first = (1 << 31) - 2 * capacity;
        // As if a whole ring had been published up to there.
        for number in first - capacity + 1..=first {
            set_version(&region, &entry, 0, (number as u32) << 1, &bytes_of(&value(number)));
        }
        let mut sleeper = reader(&region, name, Start::Newest);
        let mut follower = reader(&region, name, Start::Newest);
        assert_eq!((follower.try_recv(), follower.try_recv()), (Ok(value(first)), Err(Nothing::Empty)));
        let mut writer = writer(&region, name);
        assert_eq!(writer.published(), first);
        for number in first + 1..first + 4 * capacity {
            writer.publish(&value(number));
            assert_eq!((follower.try_recv(), follower.try_recv()), (Ok(value(number)), Err(Nothing::Empty)));
            assert_eq!(follower.info().unwrap().number, number);
        }
        let last = writer.published();
        assert_eq!(sleeper.try_recv(), Err(Nothing::Lagged { lost: last - first }));
        assert_eq!(drain(&mut sleeper), (vec![last], 0));
        // It sleeps again, until its slot has the count that it waits for, in another lap.
        let later = last + 1 + (1 << 31);
        drop(writer);
        for number in later - capacity + 1..=later {
            let (lap, count) = ((number >> 31) as u32, (number as u32) << 1);
            set_version(&region, &entry, lap, count, &bytes_of(&value(number)));
        }
        assert_eq!(sleeper.try_recv(), Err(Nothing::Lagged { lost: later - last - 1 }));
        assert_eq!(drain(&mut sleeper), (vec![later], 0));
    }
}

/// FAULT 38: A writer scribbles over the ring. Each call ends, with a value, a loss or an error; and with the next
/// honest values, all is well again.
#[test]
fn fault_38_a_writer_that_scribbles_harms_no_reader() {
    let mut rng = Rng::new(seed());
    let edges = [0, 1, 2, 3, 4, 5, 8, 9, 63, 64, 65, 1 << 31, u32::MAX, u32::MAX - 1];
    for round in 0..400 {
        let (name, capacity) = RINGS[round % RINGS.len()];
        let region = Region::new(&PLAN);
        let entry = region.entry(name);
        {
            let mut writer = writer(&region, name);
            (1..=rng.below(40) as u64).for_each(|number| writer.publish(&value(number)));
        }
        let mut readers = [Start::Oldest, Start::Newest].map(|start| reader(&region, name, start));
        for _ in 0..30 {
            for _ in 0..1 + rng.below(4) {
                let word = match rng.below(4) {
                    0 => entry.block_a + at::NEWEST,
                    _ => {
                        entry.data
                            + rng.below(capacity as usize) as u32 * entry.stride
                            + 4 * rng.below(4) as u32
                    }
                };
                let lie = if rng.below(3) == 0 { rng.word() } else { edges[rng.below(edges.len())] };
                region.poke(word, lie);
            }
            for reader in &mut readers {
                for _ in 0..4 {
                    let _ = reader.try_recv();
                }
                assert_ne!(
                    reader.recv_timeout(Duration::ZERO),
                    Err(BroadcastRecvError::Fault(Violation::Walk))
                );
            }
            let _ = reader(&region, name, Start::Oldest).try_recv();
            let _ = inspect::channel_state(region.mem(), 64, &entry);
        }
        // A reader that was lured ahead of the writer, by a ring at most, waits until the writer comes there.
        let mut writer = writer(&region, name);
        let mut newest = [None; 2];
        for number in 0..4 * capacity {
            writer.publish(&value(number));
            for (reader, newest) in readers.iter_mut().zip(&mut newest) {
                // Slots that still hold lies are errors, or pass for values, until the writer comes there.
                for _ in 0..2 * capacity {
                    *newest = reader.try_recv().ok().or(*newest);
                }
            }
        }
        assert_eq!(newest, [Some(value(4 * capacity - 1)); 2], "round {round}");
    }
}

/// FAULT 38: A value whose length is not the type's is no value.
#[test]
fn fault_38_half_a_value_is_not_a_value() {
    let region = Region::new(&PLAN);
    let entry = region.entry("4");
    let mut reader = reader(&region, "4", Start::Newest);
    set_version(&region, &entry, 0, 2, &bytes_of(&value(1))[..60]);
    assert_eq!(reader.try_recv(), Err(Nothing::Fault(Violation::Length)));
    set_version(&region, &entry, 0, 4, &bytes_of(&value(2)));
    assert_eq!(reader.try_recv(), Ok(value(2)));
}

#[test]
fn bytes_have_their_length_and_their_tag() {
    let region = Region::new(&PLAN);
    let mut writer = region.join().broadcast_writer::<[u8]>("bytes").unwrap();
    let mut reader = region.look().broadcast_reader::<[u8]>("bytes", Start::Newest).unwrap();
    assert_eq!((writer.max_len(), reader.max_len()), (24, 24));
    for (number, text) in (1_u64..).zip([&b"a first value"[..], b"", b"exactly twenty-four long", b"x"]) {
        assert_eq!(writer.publish_from(9, text), Ok(number));
        let mut buffer = [0xEE; 24];
        assert_eq!(reader.try_recv_into(&mut buffer), Ok(ValueInfo { tag: 9, len: text.len(), number }));
        assert_eq!(buffer[..text.len()], *text);
    }
    assert_eq!(writer.publish_from(0, &[0; 25]), Err(PublishError::TooLarge { max: 24 }));
    writer.publish_from(1, b"more than fits").unwrap();
    let mut buffer = [0; 4];
    assert_eq!(reader.try_recv_into(&mut buffer), Ok(ValueInfo { tag: 1, len: 14, number: 5 }));
    assert_eq!(&buffer, b"more");
}

#[test]
fn types_are_checked_and_may_be_known_at_run_time() {
    let region = Region::new(&PLAN);
    let (a, look) = (region.join(), region.look());
    let values = ValueType { hash: Value::HASH, size: 64 };
    let other = ValueType { hash: Value::HASH ^ 1, size: 64 };
    assert_eq!(a.broadcast_writer::<u64>("4").err(), Some(ChannelError::Type));
    assert_eq!(a.broadcast_writer::<[u8]>("4").err(), Some(ChannelError::Type));
    assert_eq!(a.broadcast_writer_of("4", other).err(), Some(ChannelError::Type));
    assert_eq!(look.broadcast_reader_of("4", other, Start::Newest).err(), Some(ChannelError::Type));
    assert_eq!(look.broadcast_reader::<u64>("4", Start::Newest).err(), Some(ChannelError::Type));
    assert!(matches!(a.latest_writer::<Value>("4").err(), Some(ChannelError::Kind { .. })));
    let mut writer = a.broadcast_writer_of("4", values).unwrap();
    let mut reader = look.broadcast_reader_of("4", values, Start::Newest).unwrap();
    assert_eq!(writer.publish_from(0, &[0; 63]), Err(PublishError::WrongSize { needed: 64 }));
    assert_eq!(writer.publish_from(3, &bytes_of(&value(5))), Ok(1));
    let mut buffer = [0; 64];
    assert_eq!(reader.try_recv_into(&mut buffer), Ok(ValueInfo { tag: 3, len: 64, number: 1 }));
    assert_eq!(buffer[..], bytes_of(&value(5))[..]);
}

#[test]
fn one_writer_at_a_time() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let writer = a.broadcast_writer::<Value>("4").unwrap();
    assert_eq!(b.broadcast_writer::<Value>("4").err(), Some(ChannelError::Busy));
    assert_eq!(region.look().broadcast_writer::<Value>("4").err(), Some(ChannelError::ReadOnly));
    a.die(writer);
    let writer = b.broadcast_writer::<Value>("4").unwrap();
    assert_eq!(writer.taken_over_from().map(|who| who.place()), Some(1));
}

/// Readers that may write sleep, all on one word, and one publication wakes all; one that only looks polls.
#[test]
fn waiting_ends_with_the_next_value() {
    let region = Region::new(&PLAN);
    let mut writer = writer(&region, "4");
    let members = [region.join(), region.join()];
    let mut readers: Vec<Follower> =
        members.iter().map(|at| at.broadcast_reader("4", Start::Newest).unwrap()).collect();
    readers.push(reader(&region, "4", Start::Newest));
    let asked = Instant::now();
    let wait = Duration::from_millis(30);
    assert_eq!(readers[0].recv_timeout(wait), Err(BroadcastRecvError::TimedOut));
    assert!(asked.elapsed() >= wait);
    std::thread::scope(|scope| {
        let waits: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                scope.spawn(move || {
                    let asked = Instant::now();
                    assert_eq!(reader.recv_timeout(LONG), Ok(value(1)));
                    assert!(asked.elapsed() < LONG / 2);
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        writer.publish(&value(1));
        waits.into_iter().for_each(|wait| wait.join().unwrap());
    });
    (2..=9).for_each(|number| writer.publish(&value(number)));
    assert_eq!(readers[0].recv_timeout(LONG), Err(BroadcastRecvError::Lagged { lost: 7 }));
    readers[1].set_start(Start::Oldest);
    assert_eq!(readers[1].recv_timeout(LONG), Err(BroadcastRecvError::Lagged { lost: 5 }));
    assert_eq!((readers[0].recv_timeout(LONG), readers[1].recv_timeout(LONG)), (Ok(value(9)), Ok(value(7))));
}
