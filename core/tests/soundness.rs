//! Safe code alone: whatever it asks for, nothing outside the region is read or written, and nothing of a region
//! is left once it is gone. What must not compile is in the documentation of `Mem`, `Liveness` and `Guard`.
#![forbid(unsafe_code)]

use strait_core::format::{
    Contents, Entry, Fanout, Header, Lane, ValueType, initialise, inspect, participants,
};
use strait_core::ground::sync::order::{RELAXED, publish};
use strait_core::ground::sync::{Cell, Word, WordRef};
use strait_core::observe::{Begin, Follower};
use strait_core::port::{Ident, LocalPort, NoSystem, Port};
use strait_core::{Attachment, Channel, Plan, StaticRegion};

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u32>("slots", 4),
    Channel::compact::<u8>("compact", 4),
    Channel::frames("frames", 256, 32),
    Channel::latest::<u64>("latest").buffers(4),
    Channel::mutex::<u32>("mutex"),
    Channel::permits("permits", 3),
    Channel::semaphore("semaphore", 1, 3),
    Channel::calls::<u32, u16>("calls", 4),
    Channel::slots::<u32>("lanes", 4).producers(2),
    Channel::calls::<u32, u16>("clients", 4).clients(2),
    Channel::slots::<u32>("each", 4).consumers(2),
    Channel::broadcast::<u64>("broadcast", 4),
    Channel::event("event"),
    Channel::pool("pool", 3, 24),
])
.line(4)
.participants(4);
const SIZE: usize = PLAN.size();

/// Offsets and lengths at which arithmetic goes wrong, if anywhere.
const EDGES: [u32; 16] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    63,
    64,
    SIZE as u32 - 5,
    SIZE as u32 - 4,
    SIZE as u32 - 1,
    SIZE as u32,
    SIZE as u32 + 1,
    u32::MAX - 3,
    u32::MAX,
];

type Local<'r> = Attachment<LocalPort<'r, NoSystem>>;

fn created(region: &StaticRegion<SIZE>) -> Local<'_> {
    region.create(&PLAN, 1, &NoSystem).expect("the plan works")
}

#[test]
fn words_are_aligned_and_inside() {
    let region = StaticRegion::<SIZE>::new();
    let at = created(&region);
    let mem = at.port().mem();
    assert_eq!((mem.len(), mem.is_empty()), (SIZE as u32, false));
    for offset in EDGES {
        let sound = offset.is_multiple_of(4) && offset.checked_add(4).is_some_and(|end| end <= mem.len());
        assert_eq!(mem.word(offset).is_some(), sound, "{offset}");
        if let Some(word) = mem.word(offset) {
            assert!(word.as_ptr().is_aligned());
            assert_eq!(mem.setup_read(offset), word.load(RELAXED));
        } else {
            mem.setup_write(offset, 1);
            assert_eq!(mem.setup_read(offset), 0, "there is none");
        }
    }
}

#[test]
fn ranges_are_inside() {
    let region = StaticRegion::<SIZE>::new();
    let at = created(&region);
    let mem = at.port().mem();
    for offset in EDGES {
        for len in EDGES {
            let sound = offset.checked_add(len).is_some_and(|end| end <= mem.len());
            assert_eq!(mem.span(offset, len).is_some(), sound, "{len} at {offset}");
            let Some(span) = mem.span(offset, len) else { continue };
            for at in EDGES {
                let mut buffer = [0; 9];
                let fits = at.checked_add(9).is_some_and(|end| end <= len);
                let copied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    span.read(at, &mut buffer);
                    span.write(at, &buffer);
                    span.as_ptr(at, buffer.len())
                }));
                assert_eq!(copied.is_ok(), fits, "9 bytes at {at} of {len} at {offset}");
            }
        }
    }
}

/// A directory's entry and a header are plain values, which anybody can make.
#[test]
fn forged_descriptions_show_nothing_from_outside() {
    let region = StaticRegion::<SIZE>::new();
    let at = created(&region);
    let mem = at.port().mem();
    let entries: Vec<Entry> = at.channels().collect();
    // Lanes and clients have an entry each, and a ring with two consumers three.
    assert_eq!(entries.len(), 8 + 2 + 2 + 3 + 3);
    for entry in entries {
        for edge in EDGES {
            for forged in [
                Entry { block_a: edge, ..entry },
                Entry { block_b: edge, ..entry },
                Entry { block_c: edge, ..entry },
                Entry { data: edge, ..entry },
                Entry { capacity: edge.min(4096), ..entry },
                Entry { stride: edge, ..entry },
                Entry { wait_b: edge, ..entry },
                Entry { answer: ValueType { hash: 1, size: edge }, ..entry },
                Entry { lane: Lane { index: edge, count: edge, urgent: edge }, ..entry },
                Entry { fanout: Fanout { index: edge, count: edge }, ..entry },
            ] {
                let _ = inspect::fanout_state(mem, &forged);
                for line in [0, 4, at.header().line, u32::MAX] {
                    let _ = forged.to_words();
                    let _ = inspect::channel_state(mem, line, &forged);
                    let _ = inspect::lock_state(mem, line, &forged);
                    assert!(inspect::permits(mem, line, &forged).count() <= 4096);
                    assert!(inspect::calls(mem, line, &forged).count() <= 4096);
                }
            }
        }
    }
    for edge in EDGES {
        let header = Header { participants: edge, participant_count: edge.min(600), ..*at.header() };
        for slot in EDGES {
            assert!(header.participant(slot).is_none_or(|offset| offset >= edge));
        }
        assert!(participants::list(mem, &header, at.port()).count() <= 600);
        participants::leave(mem, &header, Ident::new(1, 1).expect("an identity"));
    }
}

/// Whatever entry a follower is opened with, it copies from the region or is refused.
#[test]
fn a_follower_of_a_forged_entry_sees_nothing_from_outside() {
    let region = StaticRegion::<SIZE>::new();
    let at = created(&region);
    at.typed_producer::<u32>("slots").unwrap().try_send(&7).unwrap();
    at.producer("frames").unwrap().try_send(1, &[7; 32]).unwrap();
    at.broadcast_writer::<u64>("broadcast").unwrap().publish(&7);
    at.latest_writer::<u64>("latest").unwrap().publish(&7);
    let mut buffer = [0; 64];
    let mut seen = 0;
    for entry in at.channels() {
        for edge in EDGES {
            for forged in [
                entry,
                Entry { block_a: edge, ..entry },
                Entry { block_b: edge, ..entry },
                Entry { block_c: edge, ..entry },
                Entry { data: edge, ..entry },
                Entry { capacity: edge, ..entry },
                Entry { stride: edge, ..entry },
                Entry { max_len: edge, ..entry },
                Entry { wait_a: edge, wait_b: edge, ..entry },
                Entry { split_payload: !entry.split_payload, ..entry },
                Entry { lane: Lane { index: edge, count: edge, urgent: edge }, ..entry },
                Entry { fanout: Fanout { index: edge, count: edge }, ..entry },
                Entry { domain_a: edge, domain_b: edge, ..entry },
            ] {
                for begin in [Begin::Newest, Begin::Oldest] {
                    let Ok(mut follower) = Follower::open(&at, &forged, begin) else { continue };
                    (0..3)
                        .for_each(|_| seen += usize::from(matches!(follower.look(&mut buffer), Ok(Some(_)))));
                    let _ = follower.look(&mut []);
                }
            }
        }
    }
    assert!(seen > 0, "the true ones are followed");
}

/// The token of a participant cannot be given back by safe code; what it can do to the table is forge it, and the
/// table is believed by nobody.
#[test]
fn a_participant_that_is_struck_off_the_table_keeps_its_roles() {
    let region = StaticRegion::<SIZE>::new();
    let (one, two) = (created(&region), region.attach(&NoSystem).unwrap());
    let _tx = one.producer("frames").unwrap();
    participants::leave(one.port().mem(), one.header(), one.port().ident().unwrap());
    assert!(two.producer("frames").is_err());
}

#[test]
fn plans_of_any_numbers_are_refused_or_sound() {
    let region = StaticRegion::<SIZE>::new();
    let at = created(&region);
    for edge in EDGES {
        for channel in [
            Channel::frames("f", edge, 16),
            Channel::frames("f", 256, edge),
            Channel::slots::<u32>("s", edge),
            Channel::compact::<[u8; 3]>("c", edge),
            Channel::latest::<u32>("l").buffers(edge),
            Channel::latest_bytes("l", edge),
            Channel::permits("p", edge),
            Channel::pool("b", edge, 8),
            Channel::pool("b", 2, edge),
            Channel::semaphore("e", edge, edge),
            Channel::slots::<u32>("m", 4).producers(edge),
            Channel::frames("m", 64, 16).producers(4).urgent_lanes(edge),
            Channel::calls::<u32, u32>("q", edge).clients(edge),
            Channel::slots::<u32>("n", 4).consumers(edge),
            Channel::broadcast::<u32>("b", edge),
        ] {
            let channels = [channel];
            for plan in [Plan::new(&channels), Plan::new(&channels).line(edge).participants(edge)] {
                let refused = initialise(at.port().mem(), &plan, 1, Contents::Unknown);
                assert_eq!(
                    refused.is_ok(),
                    plan.try_size().is_ok_and(|size| size as usize <= SIZE),
                    "{edge}"
                );
            }
        }
    }
}

/// Words and cells of one's own are what they were made of.
#[test]
fn words_outside_a_region() {
    let own: WordRef = WordRef::from(&*Box::leak(Box::new(Word::new(7))));
    let again = own.clone();
    again.store(8, publish::STORE);
    assert_eq!((own.load(publish::LOAD), own.read_plain()), (8, 8));
    assert_eq!(own.compare_exchange(8, 9, RELAXED), Ok(8));
    let cells: [Cell<u8>; 0] = Cell::array();
    assert!(cells.is_empty());
}
