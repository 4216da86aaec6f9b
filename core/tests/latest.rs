//! The latest value: what readers find, when it changes under them, and when the count wraps. FAULT 42.
//! (What happens between the steps of a write is in `latest_steps.rs`.)

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::Region;
use crate::common::words::set_version;
use strait_core::ground::entry::at;
use strait_core::{
    Channel, ChannelError, Plan, PublishError, Reading, ValueInfo,
    format::{READ_TRIES, inspect, participants},
};

type Value = [u64; 8];

const CHANNELS: &[Channel<'_>] = &[
    Channel::latest::<Value>("two").consumer_may_block(),
    Channel::latest::<Value>("four").buffers(4),
    Channel::latest_bytes("bytes", 24).consumer_may_block(),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(64).participants(4);

fn value(number: u64) -> Value {
    std::array::from_fn(|i| number.rotate_left(i as u32 * 8))
}

fn bytes_of(value: &Value) -> Vec<u8> {
    value.iter().flat_map(|part| part.to_le_bytes()).collect()
}

#[test]
fn a_value_is_fresh_once_and_stale_from_then_on() {
    let region = Region::new(&PLAN);
    let mut writer = region.join().latest_writer::<Value>("two").unwrap();
    let mut readers = [0; 3].map(|_| region.look().latest_reader::<Value>("two").unwrap());
    for reader in &mut readers {
        assert_eq!((reader.read(), reader.info()), (Reading::Empty, None));
    }
    for number in 1..=5 {
        writer.publish_tagged(number as u32, &value(number));
        for reader in &mut readers {
            let read =
                if number % 2 == 0 { reader.read() } else { Reading::Fresh(reader.read_fresh().unwrap()) };
            assert_eq!(read, Reading::Fresh(value(number)));
            assert_eq!((reader.read_fresh(), reader.read_fresh_into(&mut value(0))), (None, None));
            assert_eq!(
                (reader.read(), reader.read().value()),
                (Reading::Stale(value(number)), Some(value(number)))
            );
            assert_eq!(reader.info(), Some(ValueInfo { tag: number as u32, len: 64, number }));
        }
    }
    writer.publish(&value(6));
    writer.publish(&value(7));
    assert_eq!(readers[0].read(), Reading::Fresh(value(7)), "only the latest counts");
    assert_eq!(writer.published(), 7);
    assert_eq!(region.look().latest_reader::<Value>("two").unwrap().read(), Reading::Fresh(value(7)));
    assert_eq!(inspect::channel_state(region.mem(), 64, &region.entry("two")).sent, 7);
}

#[test]
fn bytes_have_their_length_and_their_tag() {
    let region = Region::new(&PLAN);
    let mut writer = region.join().latest_writer::<[u8]>("bytes").unwrap();
    let mut reader = region.look().latest_reader::<[u8]>("bytes").unwrap();
    assert_eq!((writer.max_len(), reader.max_len()), (24, 24));
    for (number, text) in (1_u64..).zip([&b"a first value"[..], b"", b"exactly twenty-four long", b"x"]) {
        writer.publish_from(9, text).unwrap();
        let mut buffer = [0xEE; 24];
        let info = ValueInfo { tag: 9, len: text.len(), number };
        assert_eq!(reader.read_into(&mut buffer), Reading::Fresh(info));
        assert_eq!(buffer[..text.len()], *text);
        assert!(buffer[text.len()..].iter().all(|&byte| byte == 0xEE));
    }
    writer.publish_from(1, b"more than fits").unwrap();
    let mut buffer = [0; 4];
    assert_eq!(reader.read_into(&mut buffer), Reading::Fresh(ValueInfo { tag: 1, len: 14, number: 5 }));
    assert_eq!(&buffer, b"more");
    assert_eq!(writer.publish_from(0, &[0; 25]), Err(PublishError::TooLarge { max: 24 }));
    assert_eq!(reader.read_into(&mut buffer), Reading::Stale(ValueInfo { tag: 1, len: 14, number: 5 }));
}

#[test]
fn a_typed_value_can_be_read_as_bytes() {
    let region = Region::new(&PLAN);
    region.join().latest_writer::<Value>("four").unwrap().publish(&value(3));
    let mut buffer = [0; 64];
    let mut reader = region.look().latest_reader::<[u8]>("four").unwrap();
    assert!(matches!(reader.read_into(&mut buffer), Reading::Fresh(ValueInfo { len: 64, .. })));
    assert_eq!(buffer[..], bytes_of(&value(3))[..]);
}

/// A writer of bytes can write to a typed channel; half a value must not pass for a whole one.
#[test]
fn half_a_value_is_not_a_value() {
    let region = Region::new(&PLAN);
    let mut reader = region.look().latest_reader::<Value>("two").unwrap();
    match region.join().latest_writer::<[u8]>("two") {
        Ok(mut writer) => assert!(writer.publish_from(0, &[0xFF; 3]).is_ok()),
        Err(error) => assert_eq!(error, ChannelError::Type),
    }
    assert_eq!(reader.read().value(), None);
    // As a misbehaving peer writes it, without the role.
    let entry = region.entry("two");
    set_version(&region, &entry, 0, 2, &bytes_of(&value(1)));
    region.poke(entry.data + entry.stride + at::VALUE_LEN, 3);
    assert_eq!(reader.read().value(), None);
}

/// A reader that only looks stores nothing: its mapping may be read-only.
#[test]
fn readers_without_a_place_store_nothing() {
    let region = Region::new(&PLAN);
    let writer = region.join();
    writer.latest_writer::<Value>("two").unwrap().publish(&value(1));
    let before = region.bytes();
    let look = region.look();
    let mut reader = look.latest_reader::<Value>("two").unwrap();
    let mut bytes = look.latest_reader::<[u8]>("bytes").unwrap();
    assert_eq!(reader.read(), Reading::Fresh(value(1)));
    assert_eq!(reader.wait_for_change(Duration::from_millis(20)), Reading::Stale(value(1)));
    assert_eq!(bytes.wait_for_change_into(&mut [0; 24], Duration::from_millis(20)), Reading::Empty);
    for entry in look.channels() {
        let _ = inspect::channel_state(region.mem(), look.header().line, &entry);
        assert!(look.producer(entry.name().unwrap()).is_err());
    }
    assert_eq!(participants::list(region.mem(), look.header(), look.port()).count(), 1);
    drop((reader, bytes, look));
    assert_eq!(region.bytes(), before);
}

#[test]
fn one_writer_at_a_time() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let writer = a.latest_writer::<Value>("two").unwrap();
    assert_eq!(b.latest_writer::<Value>("two").err(), Some(ChannelError::Busy));
    assert_eq!(region.look().latest_writer::<[u8]>("bytes").err(), Some(ChannelError::ReadOnly));
    a.die(writer);
    let writer = b.latest_writer::<Value>("two").unwrap();
    assert_eq!(writer.taken_over_from().map(|who| who.place()), Some(1));
}

#[test]
fn the_count_wraps_into_the_lap() {
    let region = Region::new(&PLAN);
    let entry = region.entry("two");
    let start = 0_u32.wrapping_sub(8);
    set_version(&region, &entry, 0, start, &bytes_of(&value(1)));
    let mut writer = region.join().latest_writer::<Value>("two").unwrap();
    let mut reader = region.look().latest_reader::<Value>("two").unwrap();
    assert_eq!(reader.read(), Reading::Fresh(value(1)));
    let first = u64::from(start / 2);
    for step in 1..20 {
        writer.publish(&value(step));
        assert_eq!(
            (reader.read(), reader.read()),
            (Reading::Fresh(value(step)), Reading::Stale(value(step)))
        );
        assert_eq!(reader.info().unwrap().number, first + step);
    }
    assert_eq!(writer.published(), first + 19);
}

#[test]
fn something_is_published_also_when_the_count_is_0_again() {
    let region = Region::new(&PLAN);
    let entry = region.entry("two");
    assert_eq!(inspect::channel_state(region.mem(), 64, &entry).len, 0);
    set_version(&region, &entry, 1, 0, &bytes_of(&value(1)));
    assert_eq!(region.look().latest_reader::<Value>("two").unwrap().read(), Reading::Fresh(value(1)));
    assert_eq!(inspect::channel_state(region.mem(), 64, &entry).len, 1);
}

/// A reader that slept for 2^31 versions finds the same count again, in another lap.
#[test]
fn the_same_count_a_lap_later_is_fresh() {
    let region = Region::new(&PLAN);
    let entry = region.entry("four");
    set_version(&region, &entry, 4, 6, &bytes_of(&value(1)));
    let mut reader = region.look().latest_reader::<Value>("four").unwrap();
    assert_eq!(reader.read(), Reading::Fresh(value(1)));
    set_version(&region, &entry, 5, 6, &bytes_of(&value(2)));
    assert_eq!(reader.read(), Reading::Fresh(value(2)));
    assert_eq!(reader.info().unwrap().number, 5 << 31 | 3);
}

/// FAULT 42: A count that is odd for ever, or that nothing names.
#[test]
fn fault_42_a_count_that_stays_odd_is_contended() {
    let region = Region::new(&PLAN);
    let entry = region.entry("two");
    let mut writer = region.join().latest_writer::<Value>("two").unwrap();
    let mut reader = region.look().latest_reader::<Value>("two").unwrap();
    writer.publish(&value(1));
    assert_eq!(reader.read(), Reading::Fresh(value(1)));
    let newest = region.peek(entry.block_a + at::NEWEST);
    let count = entry.data + ((newest / 2) & 1) * entry.stride;
    for lie in [newest | 1, newest + 2, newest.wrapping_sub(2), 0, u32::MAX] {
        region.poke(count, lie);
        assert_eq!((reader.read(), reader.read().value()), (Reading::Contended, None), "count {lie}");
    }
    region.poke(count, newest);
    assert_eq!(reader.read(), Reading::Stale(value(1)), "no harm done");
    for lie in [newest | 1, newest + 2, newest + 4, u32::MAX, u32::MAX - 1] {
        region.poke(entry.block_a + at::NEWEST, lie);
        assert_eq!(reader.read(), Reading::Contended, "newest {lie}");
    }
    region.poke(count, newest | 1);
    region.poke(entry.block_a + at::NEWEST, newest | 1);
    assert_eq!(reader.read(), Reading::Contended, "odd on both sides");
    region.poke(count, newest);
    region.poke(entry.block_a + at::NEWEST, newest);
    region.poke(count + at::VALUE_LEN, 65);
    assert_eq!(reader.read(), Reading::Contended, "longer than the channel's maximum");
    assert_eq!(READ_TRIES, 8);
}

#[test]
fn readers_never_see_a_torn_value() {
    for name in ["two", "four"] {
        let region = Region::new(&PLAN);
        let mut writer = region.join().latest_writer::<Value>(name).unwrap();
        let over = AtomicBool::new(false);
        let (written, seen) = std::thread::scope(|scope| {
            let readers = [0; 2].map(|_| {
                let mut reader = region.look().latest_reader::<Value>(name).unwrap();
                let over = &over;
                scope.spawn(move || {
                    let (mut last, mut fresh) = (0, 0_u64);
                    while !over.load(Relaxed) {
                        let Reading::Fresh(got) = reader.read() else { continue };
                        assert_eq!(got, value(got[0]), "torn");
                        assert!(got[0] > last, "{} after {last}", got[0]);
                        assert_eq!(reader.info().unwrap().number, got[0]);
                        last = got[0];
                        fresh += 1;
                    }
                    fresh
                })
            });
            let end = Instant::now() + Duration::from_millis(400);
            let mut number = 0;
            while Instant::now() < end {
                number += 1;
                writer.publish(&value(number));
                if number.is_multiple_of(512) {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            over.store(true, Relaxed);
            (number, readers.map(|reader| reader.join().unwrap()))
        });
        println!("{name}: {written} written, {seen:?} seen fresh");
        assert!(seen.iter().all(|&fresh| fresh > 0) && written > 100);
    }
}

#[test]
fn waiting_for_a_change_ends_with_it() {
    let region = Region::new(&PLAN);
    let mut writer = region.join().latest_writer::<Value>("two").unwrap();
    // A reader that may write sleeps; one that only looks polls.
    let mut readers = [
        region.join().latest_reader::<Value>("two").unwrap(),
        region.look().latest_reader::<Value>("two").unwrap(),
    ];
    assert_eq!(readers[0].wait_for_change(Duration::from_millis(20)), Reading::Empty);
    writer.publish(&value(1));
    for reader in &mut readers {
        assert_eq!(reader.wait_for_change(Duration::from_secs(30)), Reading::Fresh(value(1)));
        let asked = Instant::now();
        assert_eq!(reader.wait_for_change(Duration::from_millis(30)), Reading::Stale(value(1)));
        assert!(asked.elapsed() >= Duration::from_millis(30));
    }
    std::thread::scope(|scope| {
        let waits = readers.each_mut().map(|reader| {
            scope.spawn(move || {
                let asked = Instant::now();
                assert_eq!(reader.wait_for_change(Duration::from_secs(30)), Reading::Fresh(value(2)));
                assert!(asked.elapsed() < Duration::from_secs(15));
            })
        });
        std::thread::sleep(Duration::from_millis(50));
        writer.publish(&value(2));
        waits.into_iter().for_each(|wait| wait.join().unwrap());
    });
}
