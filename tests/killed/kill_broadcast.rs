//! Real processes at the ends of a broadcast, killed at random points.
#![cfg(any(target_os = "linux", windows))]

use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, role, tell};
use crate::onlooker::Onlooker;
use strait::broadcast::{BroadcastStart, BroadcastTryRecvError};
use strait::{BroadcastReader, Channel, Plan, Region, RegionOptions, SystemPort};

strait::message! {
    /// A value that shows whether it is whole.
    struct Whole { number: u64, inverse: u64, filler: [u64; 14] }
}

impl Whole {
    fn new(number: u64) -> Self {
        Self { number, inverse: !number, filler: [number; 14] }
    }

    fn is_whole(&self) -> bool {
        *self == Self::new(self.number)
    }
}

const PLAN: Plan = Plan::new(&[Channel::broadcast::<Whole>("b", 16).consumer_may_block()]);
const ROUNDS: u32 = 12;

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.as_str() {
        "publish-for-ever" => {
            let mut writer = region.broadcast_writer::<Whole>("b").unwrap();
            tell("ready");
            loop {
                let number = writer.published() + 1;
                writer.publish(&Whole::new(number));
            }
        }
        "receive-for-ever" => {
            let mut reader = Reader::open(&region, BroadcastStart::Newest);
            tell("ready");
            loop {
                reader.receive();
            }
        }
        other => panic!("no such role: {other}"),
    }
}

/// A reader that checks every value, and counts.
struct Reader {
    end: BroadcastReader<Whole, SystemPort>,
    /// The number after the last one received or lost.
    next: Option<u64>,
    received: u32,
}

impl Reader {
    fn open(region: &Region, start: BroadcastStart) -> Self {
        let end = region.broadcast_reader("b", start).unwrap();
        Self { end, next: None, received: 0 }
    }

    fn receive(&mut self) {
        match self.end.try_recv() {
            Ok(value) => {
                let number = self.end.info().expect("it was received").number;
                assert!(value.is_whole());
                assert_eq!(value.number, number);
                assert!(self.next.is_none_or(|next| next == number), "{:?}, then {number}", self.next);
                self.next = Some(number + 1);
                self.received += 1;
            }
            Err(BroadcastTryRecvError::Lagged { lost }) => {
                assert!(lost > 0);
                self.next = self.next.map(|next| next + lost);
            }
            Err(error) => {
                assert!(matches!(error, BroadcastTryRecvError::Empty | BroadcastTryRecvError::Contended));
            }
        }
    }
}

/// Somewhere within 5 ms, but not before something has happened.
fn goes_on(started: Instant, events: u32, round: u32) -> bool {
    let took = started.elapsed();
    assert!(took < PATIENCE, "{events} events are all that happened");
    took < Duration::from_micros(200 + u64::from(round) * 977 % 5000) || events < 50
}

/// A writer is killed in each round, perhaps in a slot, and another goes on: values are whole, numbers have no gaps but
/// those that are told, and no number is given to two values.
#[test]
fn fault_100_writers_killed_at_random_leave_whole_values() {
    let name = Name::new("broadcast-writers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut readers = [BroadcastStart::Newest, BroadcastStart::Oldest].map(|at| Reader::open(&region, at));
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_broadcast::child", "publish-for-ever", &name);
        kid.hear();
        let (started, before) = (Instant::now(), readers.each_ref().map(|reader| reader.received));
        let events = |readers: &[Reader; 2]| {
            let received = readers.iter().zip(before).map(|(reader, before)| reader.received - before);
            received.min().unwrap_or_default()
        };
        while goes_on(started, events(&readers), round) {
            readers.iter_mut().for_each(Reader::receive);
        }
        kid.kill();
        // What was published before is received, and then there is nothing.
        readers.iter_mut().for_each(|reader| (0..64).for_each(|_| reader.receive()));
    }
    // A last writer, of this process, writes the slot anew in which the last one may have been killed.
    let mut heir = region.broadcast_writer::<Whole>("b").unwrap();
    let number = heir.published() + 1;
    assert!(readers.iter().all(|reader| reader.next == Some(number)), "{number}");
    heir.publish(&Whole::new(number));
    assert_eq!(heir.published(), number);
    readers.iter_mut().for_each(Reader::receive);
    assert!(readers.iter().all(|reader| reader.next == Some(number + 1)));
    assert!(number > 1000, "{number} values are too few to mean anything");
    assert!(onlooker.end() > 0, "it has seen nothing");
}

/// Readers hold nothing: one that is killed disturbs neither the writer nor another reader.
#[test]
fn fault_100_readers_killed_at_random_disturb_nobody() {
    let name = Name::new("broadcast-readers");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let onlooker = Onlooker::of(&name);
    let mut writer = region.broadcast_writer::<Whole>("b").unwrap();
    let mut reader = Reader::open(&region, BroadcastStart::Newest);
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_broadcast::child", "receive-for-ever", &name);
        kid.hear();
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            let number = writer.published() + 1;
            writer.publish(&Whole::new(number));
            reader.receive();
            assert_eq!(reader.next, Some(number + 1));
            events += 1;
        }
        kid.kill();
    }
    assert_eq!(u64::from(reader.received), writer.published());
    assert!(onlooker.end() > 0, "it has seen nothing");
}
