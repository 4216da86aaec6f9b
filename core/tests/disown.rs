//! What a forked child finds in its copy of a region: each word that its endpoints look at, and no other, has become one that
//! no honest peer leaves there.

use std::collections::BTreeMap;

use crate::common::Region;
use strait_core::ground::call;
use strait_core::ground::entry::at;
use strait_core::port::disown;
use strait_core::protocol::{park, semaphore};
use strait_core::{Channel, Plan, format::Entry};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 256, 64).consumer_may_block(),
    Channel::slots::<u32>("slots", 8).producer_may_block(),
    Channel::compact::<u32>("compact", 8),
    Channel::slots::<u32>("each", 4).consumers(2),
    Channel::calls::<u32, u64>("calls", 2),
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::broadcast::<u32>("broadcast", 4),
    Channel::mutex::<u32>("mutex").consumer_may_block(),
    Channel::semaphore("semaphore", 2, 5),
    Channel::permits("permits", 3),
    Channel::pool("pool", 3, 100),
])
.line(4)
.participants(3);

const HALF: u32 = 1 << 31;
/// Epoch 1 of place 0.
const NOBODY: u32 = 1 << 9;

/// The words of the region, by their offsets.
fn words(region: &Region) -> BTreeMap<u32, u32> {
    (0..region.mem().len()).step_by(4).map(|offset| (offset, region.peek(offset))).collect()
}

/// The words that are to change in an entry, after what [`marked`] sends.
fn expected(region: &Region, entry: &Entry) -> Vec<(u32, u32)> {
    let blocks = entry.blocks(4).unwrap();
    let flipped = |offset: u32| (offset, region.peek(offset) ^ HALF);
    let [mark, head, want, owner] = [
        entry.block_a + at::MARK,
        entry.block_b + at::HEAD,
        entry.block_a + blocks.want,
        entry.block_c + at::OWNER,
    ];
    let mut words = match entry.name().unwrap_or_default() {
        // Two frames of 32 bytes are there.
        "frames" => vec![(entry.data + 64, 1), flipped(head), flipped(want)],
        // Three values are there; the next has the sequence 4.
        "slots" => vec![(entry.data + 4 * entry.stride - 4, 4 ^ HALF), flipped(head), flipped(want)],
        "compact" => vec![flipped(mark), flipped(head), flipped(want)],
        "each" if entry.fanout.consumer().is_some() => vec![flipped(head)],
        // A lap of four values and one more are there; the next has the sequence 6.
        "each" => vec![(entry.data + 2 * entry.stride - 4, 6 ^ HALF), flipped(head), flipped(want)],
        "calls" => (1..=2)
            .flat_map(|place| {
                let request = entry.data + place * entry.stride - 16;
                // An answer of 8 bytes, and the four words behind it.
                let answers = 24;
                let done = entry.block_b + blocks.answers + place * answers - 16;
                [request + call::TICKET, done + call::TAKEN, done + call::DONE].map(flipped)
            })
            .collect(),
        "latest" => vec![(entry.block_a + at::NEWEST, 3)],
        // One value is there, in slot 1; the next goes to slot 2.
        "broadcast" => {
            let slot = entry.data + 2 * entry.stride;
            vec![(entry.block_a + at::NEWEST, 3), flipped(slot + at::COUNT), flipped(slot + at::LAP)]
        }
        "mutex" => {
            vec![(owner, NOBODY), (entry.block_a + at::VERSION, region.peek(entry.block_a + at::VERSION) + 2)]
        }
        "semaphore" => vec![(owner, semaphore::FORKED - 2)],
        "permits" => (0..3).map(|index| (entry.block_c + blocks.permits + 4 * index, NOBODY)).collect(),
        _ => (0..3).map(|index| (entry.block_c + blocks.permits + 16 * index, NOBODY)).collect(),
    };
    let waits = [entry.wait_a, entry.wait_b].into_iter().filter(|&word| word != 0);
    words.extend(waits.map(|word| (word, region.peek(word) | park::PARKED)));
    words
}

/// A region in which something was sent through the channels whose next place depends on that.
fn marked() -> Region {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut frames = member.producer("frames").unwrap();
    (0..2).for_each(|tag| frames.try_send(tag, &[7; 16]).unwrap());
    let mut slots = member.typed_producer::<u32>("slots").unwrap();
    (0..3).for_each(|value| slots.try_send(&value).unwrap());
    let mut each = member.fanout_producer::<u32>("each").unwrap();
    (0..5).for_each(|value| each.try_send(&value).unwrap());
    member.latest_writer::<u32>("latest").unwrap().publish(&7);
    member.broadcast_writer::<u32>("broadcast").unwrap().publish(&7);
    region
}

fn assert_only_what_is_looked_at_is_marked(region: &Region) {
    let mut after = words(region);
    region.look().channels().for_each(|entry| after.extend(expected(region, &entry)));
    disown(region.mem());
    let found = words(region);
    let differs = |offset: &&u32| found.get(offset) != after.get(offset);
    assert_eq!(found.keys().filter(differs).collect::<Vec<_>>(), Vec::<&u32>::new());
}

#[test]
fn each_word_that_an_endpoint_looks_at_is_marked_and_no_other() {
    assert_only_what_is_looked_at_is_marked(&marked());
}

#[test]
fn words_in_the_other_half_of_their_range_and_of_sleepers_are_marked_too() {
    let region = marked();
    for entry in region.look().channels() {
        let waits = [entry.wait_a, entry.wait_b].into_iter().filter(|&word| word != 0);
        waits.for_each(|word| region.poke(word, park::PARKED));
        if entry.kind.is_queue() {
            region.poke(entry.block_b + at::HEAD, HALF | 3);
            region.poke(entry.block_a + entry.blocks(4).unwrap().want, HALF);
        }
    }
    assert_only_what_is_looked_at_is_marked(&region);
}

#[test]
fn what_is_no_region_stays_as_it_is() {
    let region = Region::from_bytes(&[0xA7; 4096]);
    disown(region.mem());
    assert_eq!(region.bytes(), [0xA7; 4096]);
}
