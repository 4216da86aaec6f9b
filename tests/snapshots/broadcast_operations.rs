//! The operations of broadcasts.

use strait::broadcast::{BroadcastStart, BroadcastTryRecvError};
use strait::{BroadcastReader, BroadcastWriter, Channel, Plan, RegionPlace, SystemPort, port::Port};
use strait_core::ground::entry::at;

use super::operation::{Act, First, Operation, Past, Seen};
use super::queues::{Value, open, plan, value};

const NAME: &str = "broadcast";
const SLOTS: u32 = 4;

const BROADCAST: &[Channel<'_>] = &[Channel::broadcast::<Value>(NAME, SLOTS).consumer_may_block()];
const PLAN: Plan<'_> = plan(BROADCAST);

/// Every operation of broadcasts.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| {
        Operation::new(name, PLAN, victim, survive).sees([before, 0], [after, 0])
    };
    vec![
        of("broadcast-publish-first", publish::<0, 1>, 0, 1),
        of("broadcast-publish", publish::<5, 1>, 5, 6),
        of("broadcast-publish-ring", publish::<1, 6>, 1, 7),
        of("broadcast-publish-wakes", publish_wakes, 5, 6),
        of("broadcast-take-over-writer", open_writer, 3, 3).past(Past::Deaths(|region| {
            // A writer that died in the middle of its fourth value.
            let mut tx = region.broadcast_writer::<Value>(NAME).expect("nobody has it");
            (1..=3).for_each(|n| tx.publish(&value(n)));
            let entry = region.channel(NAME).expect("it is planned");
            let slot = entry.data + 4 % SLOTS * entry.stride;
            region.port().mem().setup_write(slot + at::COUNT, 2 * 4 + 1);
            region.port().mem().setup_write(slot + at::VALUE, u32::MAX);
            Box::new(tx)
        })),
        of("broadcast-take-over-unnamed", open_writer, 4, 4).past(Past::Deaths(|region| {
            // A writer that died between the two stores that publish its fourth value.
            let mut tx = region.broadcast_writer::<Value>(NAME).expect("nobody has it");
            (1..=4).for_each(|n| tx.publish(&value(n)));
            let entry = region.channel(NAME).expect("it is planned");
            region.port().mem().setup_write(entry.block_a + at::NEWEST, 2 * 3);
            Box::new(tx)
        })),
        of("broadcast-drop-writer", drop_writer, 3, 3),
    ]
}

fn publish<const BEFORE: u32, const TIMES: u32>(region: &RegionPlace) -> Act {
    let mut tx = open(region).broadcast_writer::<Value>(NAME).expect("nobody has it");
    (1..=BEFORE).for_each(|n| tx.publish(&value(n)));
    Box::new(move || {
        (BEFORE + 1..=BEFORE + TIMES).for_each(|n| tx.publish(&value(n)));
        Box::new(tx)
    })
}

fn publish_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut tx = region.broadcast_writer::<Value>(NAME).expect("nobody has it");
    (1..=5).for_each(|n| tx.publish(&value(n)));
    let entry = region.channel(NAME).expect("it is planned");
    region.port().mem().setup_write(entry.wait_b, 1);
    Box::new(move || {
        tx.publish(&value(6));
        Box::new(tx)
    })
}

fn open_writer(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(region.broadcast_writer::<Value>(NAME).expect("its writer is dead")))
}

fn drop_writer(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut tx = region.broadcast_writer::<Value>(NAME).expect("nobody has it");
    (1..=3).for_each(|n| tx.publish(&value(n)));
    Box::new(move || {
        drop(tx);
        Box::new(region)
    })
}

/// The survivors: a reader receives every value up to the last that was published, whole, and a new writer goes on
/// behind that one. They see its number.
fn survive(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let mut reader =
        region.broadcast_reader::<Value>(NAME, BroadcastStart::Oldest).expect("anybody may read");
    let claim = || region.broadcast_writer::<Value>(NAME).expect("the writer's role can be claimed");
    let (mut writer, seen);
    match first {
        First::Producer => {
            writer = claim();
            seen = drain(&mut reader);
        }
        First::Consumer => {
            seen = drain(&mut reader);
            writer = claim();
        }
    }
    let newest = go_on(&mut writer, &mut reader, seen);
    drop(writer);
    go_on(&mut claim(), &mut reader, newest);
    [seen, 0]
}

/// Receives all there is, which must be whole and without a gap but for a ring that is full. Returns the number
/// of the last value, or 0.
fn drain(reader: &mut BroadcastReader<Value, SystemPort>) -> u64 {
    loop {
        let next = reader.next_number();
        match reader.try_recv() {
            Ok(found) => {
                assert_eq!(reader.info().map(|info| info.number), Some(next));
                assert_eq!(found, value(next as u32), "the content of value {next}");
            }
            Err(BroadcastTryRecvError::Empty) => return next - 1,
            Err(error) => panic!("nobody writes, and there is {error}"),
        }
    }
}

/// Publishes a few values behind the newest one.
fn go_on(
    writer: &mut BroadcastWriter<Value, SystemPort>,
    reader: &mut BroadcastReader<Value, SystemPort>,
    newest: u64,
) -> u64 {
    assert_eq!(writer.published(), newest, "what the writer takes for newest is what readers received");
    for n in newest + 1..=newest + 5 {
        writer.publish(&value(n as u32));
        assert_eq!(drain(reader), n, "what was published last");
    }
    newest + 5
}
