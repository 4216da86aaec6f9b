//! A peer writes a wrong layout, or leaves states that no honest peer leaves: FAULTS 36 to 40, 45 and 46.

use crate::common::faulty::{assert_faulty, assert_faulty_values};
use crate::common::{Member, Region, TestPort, raw};
use strait_core::ground::entry::at;
use strait_core::{
    Attachment, Channel, ChannelError, Plan, Violation,
    format::{AttachError, Entry, Header, inspect, participants},
    port::{Ident, Probe},
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112).consumer_may_block(),
    Channel::slots::<u32>("slots", 8),
    Channel::compact::<u32>("compact", 8),
    Channel::latest::<u32>("latest"),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(6);
const READY: u32 = 1 << 31;
const PAD: u32 = u32::MAX;

fn region() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// The commit word of the frame at this place of the ring.
fn commit_at(entry: &Entry, place: u32) -> u32 {
    entry.data + place
}

/// Changes a word of a channel's directory entry, with a checksum to match.
fn with_entry(channel: u32, word: u32, value: u32) -> Region {
    let mut image = Region::new(&PLAN).bytes();
    let offset = (128 + channel * 128 + word * 4) as usize;
    image[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    raw::seal(&mut image);
    Region::from_bytes(&image)
}

/// FAULT 36: Capacities that cannot be, and other geometry that does not fit together.
#[test]
fn fault_36_impossible_geometry_hides_the_channel() {
    let (capacity, stride, max_len) = (11, 12, 13);
    for channel in 0..4 {
        for value in [0, 3, 7, 96, 1 << 31, u32::MAX, (1 << 30) + 1, 1 << 30, 1 << 25] {
            assert_hidden(channel, capacity, value);
        }
        for value in [0, 1, 3, 15, u32::MAX, 1 << 31] {
            assert_hidden(channel, stride, value);
        }
        for value in [u32::MAX, u32::MAX - 15, 1 << 31, 0x7FFF_FFFF, 5000] {
            assert_hidden(channel, max_len, value);
        }
        // Blocks and data.
        for word in 18..=21 {
            let optional = channel == 3 && word == 19;
            for value in [4, 128, u32::MAX, u32::MAX - 7, 0x7FFF_FFF8, 1].into_iter().filter(|_| !optional) {
                assert_hidden(channel, word, value);
            }
        }
        // Wait words.
        for word in 22..=23 {
            for value in [1, 2, 128, u32::MAX, u32::MAX - 3, 0x7FFF_FFFC] {
                assert_hidden(channel, word, value);
            }
        }
    }
}

fn assert_hidden(channel: u32, word: u32, value: u32) {
    let region = with_entry(channel, word, value);
    let look: Attachment<TestPort> = region.look();
    let name = ["frames", "slots", "compact", "latest"][channel as usize];
    assert_eq!(look.channels().count(), 3, "{name}, word {word} = {value}");
    assert!(look.channel(name).is_err());
    let member = region.join();
    assert!(member.producer(name).is_err() && member.typed_consumer::<u32>(name).is_err());
}

/// FAULT 37: Header and directory change after attach: nobody reads them again.
#[test]
fn fault_37_geometry_that_changes_after_attach_is_ignored() {
    let (region, a, b) = region();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let mut writer = a.latest_writer::<u32>("latest").unwrap();
    let mut reader = b.latest_reader::<u32>("latest").unwrap();
    let header = *a.header();
    for filler in [0_u8, 0xFF, 0x80] {
        region.write(0, &vec![filler; 128 + 4 * 128]);
        for tag in 0..50 {
            tx.try_send(tag, &[tag as u8; 33]).unwrap();
            assert_eq!(rx.try_recv_frame::<40>().unwrap().tag(), tag);
            writer.publish(&tag);
            assert_eq!(reader.read().value(), Some(tag));
        }
        assert_eq!((*a.header(), a.channels().count()), (header, 0));
        assert_eq!(a.typed_producer::<u32>("slots").err(), Some(ChannelError::NotFound));
        assert_eq!(participants::list(region.mem(), a.header(), a.port()).count(), 2);
    }
    assert!(region.is_intact());
}

/// FAULT 38: States that no honest peer leaves.
#[test]
fn fault_38_impossible_states() {
    for (place_0, place_240, violation) in [
        (PAD, 0, Violation::Pad),  // a pad at the ring's start
        (1, 0, Violation::Length), // a length that was never committed
        (0x7FFF_FFFF, 0, Violation::Length),
    ] {
        let (region, a, b) = region();
        let entry = region.entry("frames");
        region.poke(commit_at(&entry, 0), place_0);
        region.poke(commit_at(&entry, 240), place_240);
        assert_faulty(&mut b.consumer("frames").unwrap(), violation);
        assert_eq!(a.producer("frames").err(), Some(ChannelError::Fault(violation)));
    }
    for behind_pad in [0, PAD] {
        let (region, _, b) = region();
        let entry = region.entry("frames");
        region.poke(entry.block_b + at::HEAD, 240);
        region.poke(commit_at(&entry, 240), PAD);
        region.poke(commit_at(&entry, 0), behind_pad);
        assert_faulty(&mut b.consumer("frames").unwrap(), Violation::Pad);
    }
    for sequence in [2, 8, 0_u32.wrapping_sub(8), u32::MAX, 1 << 31] {
        let (region, _, b) = region();
        let entry = region.entry("slots");
        region.poke(entry.data + entry.stride - 4, sequence);
        assert_faulty_values(&mut b.typed_consumer("slots").unwrap(), Violation::Sequence);
    }
}

/// A ring that is committed throughout has no end to be found; the walk has a bound.
#[test]
fn fault_38_a_ring_without_an_end() {
    let (region, a, b) = region();
    let entry = region.entry("frames");
    (0..256).step_by(16).for_each(|place| region.poke(commit_at(&entry, place), READY));
    assert_eq!(a.producer("frames").err(), Some(ChannelError::Fault(Violation::Walk)));
    assert_eq!(
        a.producer("frames").err(),
        Some(ChannelError::Fault(Violation::Walk)),
        "not Busy: given back"
    );
    let mut rx = b.consumer("frames").unwrap();
    (0..40).for_each(|_| assert_eq!(rx.try_recv(&mut []).unwrap().len, 0));
    // The same if the walk does not come back to where it began.
    let (region, a, b) = self::region();
    let entry = region.entry("frames");
    (112..256).step_by(16).for_each(|place| region.poke(commit_at(&entry, place), READY));
    region.poke(commit_at(&entry, 0), READY | 96);
    for offset in [entry.block_a + at::MARK, entry.block_b + at::HEAD] {
        region.poke(offset, 48);
    }
    region.poke(commit_at(&entry, 48), READY | 48);
    assert_eq!(a.producer("frames").err(), Some(ChannelError::Fault(Violation::Walk)));
    let rx = b.consumer("frames").unwrap();

    for offset in [8, 1, 15] {
        region.poke(entry.block_a + at::MARK, offset);
        assert_eq!(a.producer("frames").err(), Some(ChannelError::Fault(Violation::Index)), "unaligned");
        region.poke(entry.block_b + at::HEAD, offset);
    }
    drop(rx);
    region.poke(entry.block_b + at::HEAD, 8);
    assert_eq!(b.consumer("frames").err(), Some(ChannelError::Fault(Violation::Index)));
}

/// FAULT 39: The owner word names a slot that cannot be, or nobody's.
#[test]
fn fault_39_an_owner_out_of_range_is_busy() {
    let (region, a, _) = region();
    let entry = region.entry("frames");
    for lie in [1, 511, 0x200, 1 << 29, u32::MAX, READY | 1] {
        region.poke(entry.block_c + at::OWNER, lie);
        assert_eq!(a.producer("frames").err(), Some(ChannelError::Busy), "{lie:#x}");
        assert_eq!(inspect::channel_state(region.mem(), 4, &entry).producer, None);
        assert_eq!(region.peek(entry.block_c + at::OWNER), lie, "nobody is proven dead by it");
    }
    // In range, but beyond this region's table: it never was, so it is as dead as can be.
    region.poke(entry.block_c + at::OWNER, Ident::new(511, 7).unwrap().word());
    assert!(a.producer("frames").unwrap().taken_over_from().is_some());
}

/// FAULT 40: A forged epoch takes nothing from the living.
#[test]
fn fault_40_a_forged_epoch_steals_nothing() {
    let (region, a, b) = region();
    let slot = a.header().participant(1).unwrap();
    let (live, free) = (1 << 30, 0);
    let mut tx = a.producer("frames").unwrap();
    // As if another incarnation, long dead, were the last in the living one's slot.
    for forged in [live | 9, live | 0xF_FFFE, free | 5] {
        region.poke(slot, forged);
        let joined = region.join();
        assert_ne!(joined.ident(), a.ident());
        assert_eq!(b.producer("frames").err(), Some(ChannelError::Busy));
        joined.leave();
    }
    // As if the living one's epoch were still to come: its token is taken.
    region.poke(slot, free);
    let joined = region.join();
    assert_eq!(joined.ident().place(), 3);
    assert_eq!(region.peek(slot), free);
    tx.try_send(1, b"still here").unwrap();
    assert_eq!(
        participants::list(region.mem(), a.header(), a.port()).filter(|p| p.probe == Probe::Alive).count(),
        2
    );
    // Leaving does not disturb a participant that has taken the slot since.
    region.poke(slot, live | 9);
    drop(tx);
    a.leave();
    assert_eq!(region.peek(slot), live | 9);
}

/// FAULTS 45 and 46, with the region's own bytes.
#[test]
fn faults_45_and_46_short_and_foreign_regions() {
    let image = Region::new(&PLAN).bytes();
    for len in (0..image.len()).step_by(4) {
        let error = Header::check(Region::from_bytes(&image[..len]).mem()).unwrap_err();
        assert!(matches!(error, AttachError::TooShort { .. }), "{len} bytes: {error:?}");
    }
    for version in [0_u32, 2, u32::MAX] {
        let mut image = image.clone();
        image[4..8].copy_from_slice(&version.to_le_bytes());
        raw::seal(&mut image);
        let error = Header::check(Region::from_bytes(&image).mem());
        assert_eq!(error, Err(AttachError::Version { found: version }));
    }
}

/// Counters that a former owner left are not taken at their word.
#[test]
fn a_high_water_beyond_the_ring_is_cut() {
    let (region, a, _) = region();
    for (name, capacity) in [("slots", 8), ("compact", 8)] {
        let entry = region.entry(name);
        region.poke(entry.block_a + at::HIGH_WATER, u32::MAX);
        assert_eq!(inspect::channel_state(region.mem(), 4, &entry).high_water, capacity);
        assert!(a.typed_producer::<u32>(name).unwrap().high_water() <= capacity, "{name}");
    }
}
