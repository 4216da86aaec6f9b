//! The operations of latest values.

use strait::{Channel, LatestReader, LatestWriter, Plan, Reading, RegionPlace, SystemPort, port::Port};
use strait_core::ground::entry::at;

use super::operation::{Act, First, Operation, Past, Seen};
use super::queues::{Value, open, plan, value};

const NAME: &str = "latest";

const LATEST: &[Channel<'_>] = &[Channel::latest::<Value>(NAME).consumer_may_block()];
const PLAN: Plan<'_> = plan(LATEST);

/// Every operation of latest values.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| {
        Operation::new(name, PLAN, victim, survive).sees([before, 0], [after, 0])
    };
    vec![
        of("latest-publish-first", publish::<0, 1>, 0, 1),
        of("latest-publish", publish::<4, 1>, 4, 5),
        of("latest-publish-five", publish::<1, 5>, 1, 6),
        of("latest-publish-wakes", publish_wakes, 4, 5),
        of("latest-take-over-writer", open_writer, 3, 3).past(Past::Deaths(|region| {
            // A writer that died in the middle of its fourth value.
            let mut tx = region.latest_writer::<Value>(NAME).expect("nobody has it");
            (1..=3).for_each(|n| tx.publish(&value(n)));
            let entry = region.channel(NAME).expect("it is planned");
            let buffer = entry.data + 4 % entry.capacity * entry.stride;
            region.port().mem().setup_write(buffer + at::COUNT, 2 * 4 + 1);
            region.port().mem().setup_write(buffer + at::VALUE, u32::MAX);
            Box::new(tx)
        })),
        of("latest-drop-writer", drop_writer, 3, 3),
    ]
}

fn publish<const BEFORE: u32, const TIMES: u32>(region: &RegionPlace) -> Act {
    let mut tx = open(region).latest_writer::<Value>(NAME).expect("nobody has it");
    (1..=BEFORE).for_each(|n| tx.publish(&value(n)));
    Box::new(move || {
        (BEFORE + 1..=BEFORE + TIMES).for_each(|n| tx.publish(&value(n)));
        Box::new(tx)
    })
}

fn publish_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut tx = region.latest_writer::<Value>(NAME).expect("nobody has it");
    (1..=4).for_each(|n| tx.publish(&value(n)));
    let entry = region.channel(NAME).expect("it is planned");
    region.port().mem().setup_write(entry.wait_b, 1);
    Box::new(move || {
        tx.publish(&value(5));
        Box::new(tx)
    })
}

fn open_writer(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(region.latest_writer::<Value>(NAME).expect("its writer is dead")))
}

fn drop_writer(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut tx = region.latest_writer::<Value>(NAME).expect("nobody has it");
    (1..=3).for_each(|n| tx.publish(&value(n)));
    Box::new(move || {
        drop(tx);
        Box::new(region)
    })
}

/// The survivors: a reader finds the newest value whole, and a new writer goes on behind it. They see
/// which value that is.
fn survive(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let mut reader = region.latest_reader::<Value>(NAME).expect("anybody may read");
    let claim = || region.latest_writer::<Value>(NAME).expect("the writer's role can be claimed");
    let (mut writer, seen);
    match first {
        First::Producer => {
            writer = claim();
            seen = read(&mut reader);
        }
        First::Consumer => {
            seen = read(&mut reader);
            writer = claim();
        }
    }
    let newest = go_on(&mut writer, &mut reader, seen);
    drop(writer);
    go_on(&mut claim(), &mut reader, newest);
    [seen, 0]
}

/// The number of the newest value, which must be whole, or 0.
fn read(reader: &mut LatestReader<Value, SystemPort>) -> u64 {
    match reader.read() {
        Reading::Fresh(found) | Reading::Stale(found) => {
            let number = reader.info().map_or(0, |info| info.number);
            assert_eq!(found, value(number as u32), "the content of value {number}");
            number
        }
        Reading::Empty => 0,
        Reading::Contended => panic!("nobody writes, and the value cannot be read"),
    }
}

/// Publishes a few values behind the newest one.
fn go_on(
    writer: &mut LatestWriter<Value, SystemPort>,
    reader: &mut LatestReader<Value, SystemPort>,
    newest: u64,
) -> u64 {
    assert_eq!(writer.published(), newest, "what the writer takes for newest is what readers get");
    for n in newest + 1..=newest + 5 {
        writer.publish(&value(n as u32));
        assert_eq!(read(reader), n, "what was published last");
    }
    newest + 5
}
