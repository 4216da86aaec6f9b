//! The latest value between the steps of a write: the writer dies at any of them, the reader sleeps
//! between two of its own. FAULT 23.

use crate::common::words::{Words, set_version};
use crate::common::{Region, raw};
use strait_core::ground::entry::at;
use strait_core::port::RELAXED;
use strait_core::protocol::latest::{Attempt, Buffers, Version, Writer, attempt};
use strait_core::{Channel, Plan, Reading};

type Value = [u64; 8];

const CHANNELS: &[Channel<'_>] =
    &[Channel::latest::<Value>("two"), Channel::latest::<Value>("four").buffers(4)];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(64).participants(4);

fn value(number: u64) -> Value {
    std::array::from_fn(|i| number.rotate_left(i as u32 * 8))
}

fn bytes_of(value: &Value) -> Vec<u8> {
    value.iter().flat_map(|part| part.to_le_bytes()).collect()
}

/// FAULT 23: The writer dies between any two stores: the previous value stays readable, the next writer
/// goes on from there. Also where the count wraps into the lap.
#[test]
fn fault_23_a_writer_dies_between_any_two_stores() {
    for name in ["two", "four"] {
        for start in [0, 2, 4, 6, 8, 0_u32.wrapping_sub(6), 0_u32.wrapping_sub(4), 0_u32.wrapping_sub(2)] {
            let region = Region::new(&PLAN);
            let entry = region.entry(name);
            if start != 0 {
                set_version(&region, &entry, 0, start, &bytes_of(&value(100)));
            }
            let before = region.bytes();
            let stores = raw::latest(&before, &entry, 0, &bytes_of(&value(101)));
            let images = raw::deaths(&before, &stores);
            for (step, image) in images.iter().enumerate() {
                let region = Region::from_bytes(image);
                let mut reader = region.look().latest_reader::<Value>(name).unwrap();
                let seen = reader.read();
                if step == stores.len() {
                    assert_eq!(seen, Reading::Fresh(value(101)));
                } else if start == 0 {
                    assert_eq!(seen, Reading::Empty, "step {step}");
                } else {
                    assert_eq!(seen, Reading::Fresh(value(100)), "step {step}");
                }
                let mut writer = region.join().latest_writer::<Value>(name).unwrap();
                let published = writer.published();
                for number in 200..210 {
                    writer.publish(&value(number));
                    assert_eq!(reader.read(), Reading::Fresh(value(number)), "step {step}");
                }
                assert_eq!(
                    (writer.published(), reader.info().unwrap().number),
                    (published + 10, published + 10)
                );
            }
            // The second writer of these tests does what the first does.
            let mut writer = region.join().latest_writer::<Value>(name).unwrap();
            writer.publish(&value(101));
            let block = entry.block_a as usize..(entry.data + entry.capacity * entry.stride) as usize;
            assert_eq!(region.bytes()[block.clone()], images.last().unwrap()[block]);
        }
    }
}

/// A reader that is interrupted in its copy by K - 1 writes has a whole value; by one more, it must
/// try again.
#[test]
fn k_buffers_bear_k_minus_1_writes() {
    for (name, capacity) in [("two", 2), ("four", 4)] {
        let region = Region::new(&PLAN);
        let entry = region.entry(name);
        let mut writer = region.join().latest_writer::<Value>(name).unwrap();
        writer.publish(&value(1));
        let newest = Words(&region, &entry).newest();
        for writes in 0..3 * capacity {
            let mut copied = vec![0; 64];
            let result = attempt(newest, &Words(&region, &entry), capacity, |index| {
                let from = entry.data + index * entry.stride + at::VALUE;
                region.read(from, &mut copied[..32]);
                (0..writes).for_each(|_| writer.publish(&value(writer.published() + 1)));
                region.read(from + 32, &mut copied[32..]);
            });
            match result {
                Attempt::Complete(version) => {
                    assert!(writes < capacity, "{writes} writes went unnoticed");
                    assert_eq!(copied, bytes_of(&value(version.number())));
                }
                Attempt::Again => assert!(writes >= capacity, "{writes} writes disturbed it"),
                Attempt::Empty => panic!("something was published"),
            }
        }
    }
}

/// A reader that sleeps in its copy until the count has wrapped finds the same count, in another lap.
#[test]
fn a_lap_that_changes_during_the_copy_is_noticed() {
    let region = Region::new(&PLAN);
    let entry = region.entry("two");
    set_version(&region, &entry, 4, 6, &bytes_of(&value(1)));
    let newest = Words(&region, &entry).newest();
    let look = |copy: &dyn Fn()| attempt(newest, &Words(&region, &entry), 2, |_| copy());
    assert_eq!(look(&|| ()), Attempt::Complete(Version { lap: 4, count: 6 }));
    assert_eq!(look(&|| set_version(&region, &entry, 5, 6, &bytes_of(&value(2)))), Attempt::Again);
    assert_eq!(look(&|| ()), Attempt::Complete(Version { lap: 5, count: 6 }));
}

/// Its count is odd from before the first store into a buffer until after the last.
#[test]
fn a_buffer_is_odd_while_it_is_written() {
    let region = Region::new(&PLAN);
    let entry = region.entry("four");
    let words = Words(&region, &entry);
    let newest = Words(&region, &entry).newest();
    let mut writer = Writer::adopt(newest, &words, 4);
    for number in 1..10 {
        let before = newest.load(RELAXED);
        let index = writer.begin(&words);
        assert_eq!((index, words.count(index).load(RELAXED)), (number & 3, 2 * number + 1));
        assert_eq!(newest.load(RELAXED), before);
        assert_eq!(writer.publish(newest, &words), Version { lap: 0, count: 2 * number });
        assert_eq!((words.count(index).load(RELAXED), newest.load(RELAXED)), (2 * number, 2 * number));
    }
}
