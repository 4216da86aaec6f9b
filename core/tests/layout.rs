//! The region format, byte for byte: golden vectors both ways, and pinned constants.

use crate::common::golden::{LINE_4, LINE_128, Sample};
use crate::common::listing::Listing;
use crate::common::region::INSTANCE;
use crate::common::{Region, TestPort};
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert, const_assert_eq};
use strait_core::format::participants;
use strait_core::ground::entry::{self, Entry, GRANULE, MAX_RING, NAME_LEN, at};
use strait_core::ground::format::Contents;
use strait_core::ground::header::{self, MAGIC, VERSION};
use strait_core::ground::plan::MAX_REGION;
use strait_core::{
    Attachment, Consumer, Grant, LatestReader, LatestWriter, Message, Peek, Plan, Producer, Reading,
    TypedConsumer, TypedProducer,
    format::Kind,
    port::{Mem, Probe},
};

const GOLDEN: [(Plan<'_>, &str); 2] =
    [(LINE_4, include_str!("golden/line4.hex")), (LINE_128, include_str!("golden/line128.hex"))];
const TRAFFIC: &str = include_str!("golden/traffic.hex");

// Offsets that other implementations rely on.
const_assert_eq!(header::at::MAGIC, 0);
const_assert_eq!(header::at::VERSION, 4);
const_assert_eq!(header::at::HEADER_LEN, 8);
const_assert_eq!(header::at::ENTRY_LEN, 12);
const_assert_eq!(header::at::TOTAL_LEN, 16);
const_assert_eq!(header::at::COMPAT, 20);
const_assert_eq!(header::at::INCOMPAT, 24);
const_assert_eq!(header::at::INSTANCE, 28);
const_assert_eq!(header::at::PLAN_HASH, 36);
const_assert_eq!(header::at::LINE, 44);
const_assert_eq!(header::at::PARTICIPANTS, 48);
const_assert_eq!(header::at::PARTICIPANT_COUNT, 52);
const_assert_eq!(header::at::CHANNEL_COUNT, 56);
const_assert_eq!(header::at::CRC, 60);
const_assert_eq!(MAGIC, 0x5452_5453);
const_assert_eq!(VERSION, 1);
const_assert_eq!(NAME_LEN, 32);
const_assert_eq!(GRANULE, 16);
const_assert_eq!(MAX_RING, 1 << 30);
const_assert_eq!(MAX_REGION, 1 << 31);
const_assert_eq!(Mem::ALIGN, 8);
const_assert!(
    at::MARK == 0 && at::MARK_SEQUENCE == 4 && at::HIGH_WATER == 8 && at::REFUSED == 12 && at::NEWEST == 0
);
const_assert!(at::HEAD == 0 && at::HEAD_SEQUENCE == 4);
const_assert!(at::OWNER == 0 && at::TAKEOVERS == 4 && at::FAULT == 8);
const_assert!(at::COMMIT == 0 && at::TAG == 4 && at::SEQUENCE == 8);
const_assert!(at::COUNT == 0 && at::LAP == 4 && at::VALUE_TAG == 8 && at::VALUE_LEN == 12 && at::VALUE == 16);
const_assert!(participants::at::STATE == 0 && participants::at::DOMAIN == 4 && participants::at::BOOT == 8);
const_assert!(participants::at::PID == 12 && participants::at::STARTED == 16);

// A port that is `Send` and `Sync` itself does not make its endpoints `Sync`.
assert_impl_all!(TestPort: Send, Sync);
assert_impl_all!(Attachment<TestPort>: Send, Sync, Clone);
assert_impl_all!(Producer<TestPort>: Send);
assert_impl_all!(Consumer<TestPort>: Send);
assert_impl_all!(TypedProducer<Sample, TestPort>: Send);
assert_impl_all!(TypedConsumer<Sample, TestPort>: Send);
assert_impl_all!(LatestWriter<Sample, TestPort>: Send);
assert_impl_all!(LatestReader<Sample, TestPort>: Send);
assert_impl_all!(LatestWriter<[u8], TestPort>: Send);
assert_impl_all!(LatestReader<[u8], TestPort>: Send);
assert_not_impl_any!(Producer<TestPort>: Sync, Clone);
assert_not_impl_any!(Consumer<TestPort>: Sync, Clone);
assert_not_impl_any!(TypedProducer<Sample, TestPort>: Sync, Clone);
assert_not_impl_any!(TypedConsumer<Sample, TestPort>: Sync, Clone);
assert_not_impl_any!(LatestWriter<Sample, TestPort>: Sync, Clone);
assert_not_impl_any!(LatestReader<Sample, TestPort>: Sync, Clone);
assert_not_impl_any!(LatestWriter<[u8], TestPort>: Sync, Clone);
assert_not_impl_any!(LatestReader<[u8], TestPort>: Sync, Clone);
assert_not_impl_any!(Grant<'static, TestPort>: Sync, Clone);
assert_not_impl_any!(Peek<'static, TestPort>: Sync, Clone);

#[test]
fn format_produces_the_listings() {
    for (plan, text) in GOLDEN {
        let listing = Listing::parse(text);
        assert_eq!(plan.size(), listing.bytes.len());
        listing.assert_matches(&Region::new(&plan).bytes());
    }
}

#[test]
fn format_over_old_bytes_produces_the_listings() {
    for (plan, text) in GOLDEN {
        let listing = Listing::parse(text);
        let region = Region::from_bytes(&vec![0xFF; listing.bytes.len()]);
        strait_core::format::initialise(region.mem(), &plan, INSTANCE, Contents::Unknown).unwrap();
        listing.assert_matches(&region.bytes());
    }
}

#[test]
fn the_listings_attach() {
    for (plan, text) in GOLDEN {
        let region = Region::from_bytes(&Listing::parse(text).bytes);
        let look = region.look();
        let header = look.header();
        assert_eq!((header.version, header.instance, header.compat), (VERSION, INSTANCE, 0));
        assert_eq!((header.total_len as usize, header.participant_count), (plan.size(), 2));
        assert_eq!(header.channel_count, 4);

        let entries: Vec<Entry> = look.channels().collect();
        let names: Vec<_> = entries.iter().map(|entry| entry.name().unwrap()).collect();
        assert_eq!(names, ["frames", "slots", "compact", "latest"]);
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::Frames, Kind::Slots, Kind::Compact, Kind::Latest]);
        let capacities: Vec<_> = entries.iter().map(|entry| entry.capacity).collect();
        assert_eq!(capacities, [64, 4, 4, 2]);
        let sizes: Vec<_> = entries.iter().map(|entry| entry.max_len).collect();
        assert_eq!(sizes, [16, 4, 2, 16]);
        assert!(entries[1].carries::<u32>() && entries[2].carries::<u16>() && entries[3].carries::<Sample>());
        assert!(!entries[1].carries::<i32>() && !entries[1].carries::<u64>() && !entries[0].carries::<u8>());
    }
}

#[test]
fn a_listing_carries_traffic() {
    let region = Region::from_bytes(&Listing::parse(include_str!("golden/line4.hex")).bytes);
    let member = region.join();
    let (mut tx, mut rx) = (member.producer("frames").unwrap(), member.consumer("frames").unwrap());
    tx.try_send(3, b"from a listing").unwrap();
    let mut buffer = [0; 16];
    let got = rx.try_recv(&mut buffer).unwrap();
    assert_eq!((got.tag, got.sequence, &buffer[..got.len]), (3, 0, &b"from a listing"[..]));
}

#[test]
fn endpoints_produce_the_listing_of_traffic() {
    let region = Region::new(&LINE_4);
    let (a, b) = (region.join(), region.join());
    let mut frames = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let mut slots = (a.typed_producer::<u32>("slots").unwrap(), b.typed_consumer::<u32>("slots").unwrap());
    let mut compact =
        (a.typed_producer::<u16>("compact").unwrap(), b.typed_consumer::<u16>("compact").unwrap());
    let mut latest = a.latest_writer::<Sample>("latest").unwrap();

    frames.0.try_send(7, b"hi").unwrap();
    frames.0.try_send(8, b"").unwrap();
    let mut buffer = [0; 16];
    frames.1.try_recv(&mut buffer).unwrap();
    frames.1.try_recv(&mut buffer).unwrap();
    frames.1.flush();
    frames.0.try_send(9, b"sixteen letters!").unwrap();
    slots.0.try_send(&0xAABB_CCDD).unwrap();
    compact.0.try_send_batch([0x1234, 0x5678]).unwrap();
    latest.publish_tagged(5, &Sample { time_ns: 1000, value: -2.5 });

    Listing::parse(TRAFFIC).assert_matches(&region.bytes());
    assert_eq!(slots.1.try_recv(), Ok(0xAABB_CCDD));
    assert_eq!(compact.1.try_recv(), Ok(0x1234));
}

#[test]
fn the_listing_of_traffic_is_received() {
    let region = Region::from_bytes(&Listing::parse(TRAFFIC).bytes);
    let looks = region.look();
    let inside: Vec<_> = participants::list(region.mem(), looks.header(), looks.port()).collect();
    assert_eq!(
        inside.iter().map(|p| (p.ident.place(), p.ident.epoch())).collect::<Vec<_>>(),
        [(1, 1), (2, 1)]
    );
    assert!(inside.iter().all(|p| p.probe == Probe::Dead));

    let member = region.join();
    assert_eq!((member.ident().place(), member.ident().epoch()), (1, 2));
    let mut rx = member.consumer("frames").unwrap();
    assert_eq!(rx.taken_over_from().map(|who| who.place()), Some(2));
    let frame = rx.try_recv_frame::<16>().unwrap();
    assert_eq!((frame.tag(), frame.sequence(), frame.payload()), (9, 2, &b"sixteen letters!"[..]));
    assert_eq!(member.typed_consumer::<u32>("slots").unwrap().try_recv(), Ok(0xAABB_CCDD));
    let mut compact = member.typed_consumer::<u16>("compact").unwrap();
    assert_eq!((compact.try_recv(), compact.try_recv()), (Ok(0x1234), Ok(0x5678)));
    let mut latest = member.latest_reader::<Sample>("latest").unwrap();
    assert_eq!(latest.read(), Reading::Fresh(Sample { time_ns: 1000, value: -2.5 }));
    let info = latest.info().unwrap();
    assert_eq!((info.tag, info.number), (5, 1));
    assert_eq!(member.producer("frames").unwrap().next_sequence(), 3);
}

#[test]
fn blocks_of_a_hash_pinned_plan_are_where_entry_says() {
    let region = Region::new(&LINE_128);
    for entry in region.look().channels() {
        let blocks = entry.blocks(128).unwrap();
        assert_eq!(entry.data, entry.block_a + blocks.data);
        assert!(entry.block_a.is_multiple_of(128) && entry.block_c.is_multiple_of(128));
        assert_eq!(entry.type_hash == 0, entry.kind == Kind::Frames);
    }
    assert_eq!(region.entry("latest").type_hash, Sample::HASH);
    assert_eq!(entry::ENTRY_LEN, 128);
}
