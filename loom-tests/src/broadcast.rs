//! One writer that never waits, and readers that each get every value, or the number of those they lost.

use std::ops::RangeInclusive;

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::port::RELAXED;
use strait_core::protocol::broadcast::{Look, Reader, Sync};
use strait_core::protocol::latest::{Buffers, Version, Writer};
use strait_core::{
    Attachment, BroadcastReader, BroadcastRecvError, BroadcastStart, BroadcastTryRecvError, BroadcastWriter,
    Channel, Plan,
};

use crate::latest::Place;
use crate::models;
use crate::search::{ALL, Search, up_to};
use crate::waiting::LONG;

models! {
    "each_value_or_its_loss/2_slots" => each_value_or_its_loss(up_to(3).most(2).quick(2), 2, 4),
    "each_value_or_its_loss/2_slots_newest" => newest_or_its_loss(up_to(3).most(2).quick(2)),
    "each_value_or_its_loss/4_slots" => each_value_or_its_loss(up_to(2), 4, 6),
    "two_readers/2_slots" => two_readers(up_to(2).most(1).quick(1), 2, 3),
    "two_readers/4_slots" => two_readers(up_to(1), 4, 5),
    "writer_dies/2_slots" => writer_dies(up_to(3).quick(2), 2),
    "writer_dies/4_slots" => writer_dies(up_to(3).quick(2), 4),
    "no_number_is_given_twice" => no_number_is_given_twice(),
    "a_look_is_whole" => a_look_is_whole(),
    "a_lap_later" => a_lap_later(),
    "the_count_wraps" => the_count_wraps(),
    "a_place_is_found" => a_place_is_found(),
    "readers_wait/one" => readers_wait::<1>(up_to(3).most(2).quick(2), 3),
    "readers_wait/two" => readers_wait::<2>(up_to(3).most(2).quick(2), 1),
    "readers_wait/two_values" => readers_wait::<2>(up_to(2).most(1).quick(1), 2),
}

const TWO: Plan<'static> = Plan::new(&[Channel::broadcast::<u32>("v", 2)]).line(4).participants(3);
const FOUR: Plan<'static> = Plan::new(&[Channel::broadcast::<u32>("v", 4)]).line(4).participants(3);
const WAITING: Plan<'static> =
    Plan::new(&[Channel::broadcast::<u32>("v", 4).consumer_may_block()]).line(4).participants(3);

fn plan(slots: u32) -> &'static Plan<'static> {
    match slots {
        2 => &TWO,
        4 => &FOUR,
        _ => panic!("no such plan"),
    }
}

fn writer(at: &Attachment<Port>) -> BroadcastWriter<u32, Port> {
    at.broadcast_writer("v").expect("the role is free, or its owner dead")
}

fn publish(tx: &mut BroadcastWriter<u32, Port>, number: u32) {
    tx.publish_tagged(!number, &number);
}

/// A reader that keeps count of what it received and lost.
struct Follower {
    rx: BroadcastReader<u32, Port>,
    /// The number that must come next.
    next: u64,
    /// Numbers and contents received.
    seen: Vec<(u64, u32)>,
}

impl Follower {
    fn new(region: &Region, start: BroadcastStart) -> Self {
        let rx: BroadcastReader<u32, Port> = region.look().broadcast_reader("v", start).unwrap();
        let next = rx.next_number();
        Self { rx, next, seen: Vec::new() }
    }

    /// One call: a value is whole and the very next one, a loss is some. Returns whether there may be more.
    fn step(&mut self) -> bool {
        match self.rx.try_recv() {
            Ok(value) => {
                let info = self.rx.info().expect("something was received");
                assert_eq!(info.tag, !value, "the value is torn");
                assert_eq!(info.number, self.next);
                self.seen.push((info.number, value));
                self.next += 1;
            }
            Err(BroadcastTryRecvError::Lagged { lost }) => {
                assert!(lost > 0);
                self.next += lost;
            }
            Err(BroadcastTryRecvError::Contended) => {}
            Err(BroadcastTryRecvError::Empty) => return false,
            Err(error) => panic!("an honest writer does not cause {error:?}"),
        }
        assert_eq!(self.rx.next_number(), self.next);
        true
    }

    /// All that there is, once the writer is done.
    fn drain(&mut self) {
        // A call that was overtaken needs another; nothing else can be contended now.
        for _ in 0..16 {
            if !self.step() {
                return;
            }
        }
        panic!("there is no end");
    }

    /// Every value's number is its content.
    fn assert_numbered(&self) {
        assert!(self.seen.iter().all(|&(number, value)| number == u64::from(value)), "{:?}", self.seen);
    }
}

/// What a reader receives and what it is told that it lost add up to what was published. Up to three
/// preemptions; with four slots, two.
///
/// ```text
///   writer                                reader, at version v
///   count = odd                           lap, count: of v?
///   value                                 value
///   count = even                          count, lap: as before?
///   newest = count                        overtaken: newest, lap, count, count, lap
/// ```
fn each_value_or_its_loss(search: Search, slots: u32, writes: u32) {
    follow(search, slots, writes, BroadcastStart::Oldest);
}

/// The same for a reader that goes on at the newest value.
fn newest_or_its_loss(search: Search) {
    follow(search, 2, 4, BroadcastStart::Newest);
}

fn follow(search: Search, slots: u32, writes: u32, start: BroadcastStart) {
    search.check(move || {
        let region = Region::new(plan(slots));
        let mut tx = writer(&region.join());
        publish(&mut tx, 1);
        let mut reader = Follower::new(&region, start);
        let write = thread::spawn(move || (2..=writes).for_each(|number| publish(&mut tx, number)));
        for _ in 0..2 {
            reader.step();
        }
        write.join().unwrap();
        reader.drain();
        assert_eq!(reader.next, u64::from(writes) + 1, "nothing is left over");
        reader.assert_numbered();
    });
}

/// Two readers, of which each sees what one alone would see.
///
/// ```text
///   writer                                reader                 reader
///   count, value, count, newest           lap, count, value,     lap, count, value,
///                                         count, lap             count, lap
/// ```
fn two_readers(search: Search, slots: u32, writes: u32) {
    search.check(move || {
        let region = Region::new(plan(slots));
        let mut tx = writer(&region.join());
        publish(&mut tx, 1);
        let readers = [BroadcastStart::Oldest, BroadcastStart::Newest].map(|start| {
            let mut reader = Follower::new(&region, start);
            thread::spawn(move || {
                reader.step();
                reader
            })
        });
        (2..=writes).for_each(|number| publish(&mut tx, number));
        for reader in readers {
            let mut reader = reader.join().unwrap();
            reader.drain();
            assert_eq!(reader.next, u64::from(writes) + 1);
            reader.assert_numbered();
        }
    });
}

/// The writer dies anywhere from its claim to its end; another takes over. A reader that follows all along
/// and one that comes later agree on the value of every number, and nobody sees a value that was not published.
///
/// ```text
///   writer, then its heir                 reader
///   claim, count, value, count, newest    lap, count
///   (killed somewhere here)               value
///   claim with proof of death             count, lap
///   count, value, count, newest
/// ```
fn writer_dies(search: Search, slots: u32) {
    search.each_death(move |death| {
        let region = Region::new(plan(slots));
        let (at, heir) = (region.join(), region.join());
        publish(&mut writer(&heir), 1);
        let mut reader = Follower::new(&region, BroadcastStart::Oldest);
        let write = thread::spawn(move || {
            let mut ended = false;
            let _ = death.run(at.port(), || {
                publish(&mut writer(&at), 2);
                ended = true;
            });
            let mut tx = writer(&heir);
            let before = tx.published();
            assert!(before == 2 || before == 1 && !ended);
            publish(&mut tx, 3);
            before
        });
        for _ in 0..2 {
            reader.step();
        }
        let before = write.join().unwrap();
        reader.drain();
        assert_eq!(reader.next, before + 2);
        let all: &[(u64, u32)] = if before == 2 { &[(1, 1), (2, 2), (3, 3)] } else { &[(1, 1), (2, 3)] };
        assert!(reader.seen.iter().all(|one| all.contains(one)), "{:?} of {all:?}", reader.seen);
        let mut late = Follower::new(&region, BroadcastStart::Oldest);
        late.drain();
        assert!(late.seen.ends_with(&all[all.len() - 1..]), "{:?}", late.seen);
        assert!(late.seen.iter().all(|one| all.contains(one)), "{:?} of {all:?}", late.seen);
    });
}

/// The writer dies; what a reader received from it keeps its number, whether or not `newest` came to name it.
///
/// ```text
///   writer                                reader
///   claim, count, value, count = even     lap, count, value, count, lap
///   (killed somewhere here)
///   newest = count                        then, as the heir: claim, publish
/// ```
fn no_number_is_given_twice() {
    ALL.each_death(|death| {
        let region = Region::new(&FOUR);
        let (at, heir) = (region.join(), region.join());
        let mut reader = Follower::new(&region, BroadcastStart::Oldest);
        let write = thread::spawn(move || {
            let _ = death.run(at.port(), || publish(&mut writer(&at), 7));
            at.port().end();
        });
        reader.step();
        write.join().unwrap();
        let received = reader.seen.len() as u64;
        let mut tx = writer(&heir);
        assert!(tx.published() >= received, "{received} received");
        publish(&mut tx, 8);
        let published = tx.published();
        reader.drain();
        assert_eq!(reader.next, published + 1);
        assert_eq!(reader.seen.last(), Some(&(published, 8)));
    });
}

/// A reader at a version of its own, which is kept outside the region.
fn reader_at(version: Version) -> Reader {
    let elsewhere = Place::in_region();
    elsewhere.newest.store(version.count, RELAXED);
    for index in 0..elsewhere.capacity {
        elsewhere.count(index).store(version.count, RELAXED);
        elsewhere.lap(index).store(version.lap, RELAXED);
    }
    let reader = Reader::start(&elsewhere.newest, &elsewhere, elsewhere.capacity, BroadcastStart::Newest);
    assert_eq!(reader.next(), version.number());
    reader
}

/// Publishes these numbers, one after the other.
fn publish_all(place: &Place, tx: &mut Writer, numbers: RangeInclusive<u32>) {
    for number in numbers {
        place.publish(tx, number);
    }
}

/// One look: its outcome, and the number that was read, if it is whole.
fn look(reader: &mut Reader, place: &Place) -> (Look, u32) {
    let mut words = [[0; 4]; 2];
    let look = reader.look(place, |index| place.copy(index, &mut words));
    let [number, again] = words.map(u32::from_le_bytes);
    assert!(number == again || !matches!(look, Look::Complete(_)), "the value is torn: {look:?}");
    (look, number)
}

/// With two slots the second publication from now overwrites the one being read.
///
/// ```text
///   writer                                reader, at version 1
///   version 2, slot 0
///   version 3, slot 1                     lap, count, value, count, lap of slot 1
/// ```
fn a_look_is_whole() {
    ALL.check(|| {
        let place = Place::in_region();
        let mut tx = place.writer_at(Version { lap: 0, count: 0 });
        place.publish(&mut tx, 1);
        let there = place.clone();
        let write = thread::spawn(move || publish_all(&there, &mut tx, 2..=3));
        match look(&mut reader_at(Version { lap: 0, count: 2 }), &place) {
            (Look::Complete(version), number) => assert_eq!((version.number(), number), (1, 1)),
            (other, _) => assert_eq!(other, Look::Overtaken),
        }
        write.join().unwrap();
    });
}

/// A reader is held up while 2^31 values are published, so that the count wraps and its slot holds the same
/// count again. It must not take the new value for its own, nor a mixture; and it is told of each value that it
/// lost. (The values in between are left out.)
///
/// ```text
///   writer                                reader, at version 1
///   version 2^31, slot 0, count 0
///   version 2^31 + 1, slot 1, count 2     lap, count, value, count, lap of slot 1
/// ```
fn a_lap_later() {
    ALL.check(|| {
        let place = Place::in_region();
        place.publish(&mut place.writer_at(Version { lap: 0, count: 0 }), 1);
        let there = place.clone();
        let mut tx = place.writer_at(Version { lap: 0, count: u32::MAX - 1 });
        let write = thread::spawn(move || publish_all(&there, &mut tx, 2..=3));
        let mut reader = reader_at(Version { lap: 0, count: 2 });
        let (first, number) = look(&mut reader, &place);
        write.join().unwrap();
        let taken = match first {
            Look::Complete(version) => {
                assert_eq!((version.number(), number), (1, 1));
                1
            }
            // While the new value is written, its count passes for that of the reader's own version.
            other => {
                assert!(matches!(other, Look::Overtaken | Look::Empty));
                0
            }
        };
        // Slot 0 holds version 2^31, and a reader of version 2 is overtaken as well.
        assert_eq!(look(&mut reader, &place).0, Look::Overtaken);
        let last = (1 << 31) + 1;
        assert_eq!(reader.sync(&place.newest, &place), Sync::Lost(last - 1 - taken));
        assert_eq!(look(&mut reader, &place), (Look::Complete(Version { lap: 1, count: 2 }), 3));
    });
}

/// A reader that keeps up is not told of a loss, nor of anything else, when the count wraps and the lap changes.
///
/// ```text
///   writer                                reader, at version 2^31
///   version 2^31, slot 0, count 0, lap 1  lap, count, value, count, lap of slot 0
/// ```
fn the_count_wraps() {
    ALL.check(|| {
        let place = Place::in_region();
        // Versions 2^31 - 2 and 2^31 - 1.
        let mut tx = place.writer_at(Version { lap: 0, count: u32::MAX - 5 });
        publish_all(&place, &mut tx, 1..=2);
        let next = Version { lap: 1, count: 0 };
        let mut reader = reader_at(next);
        let there = place.clone();
        let write = thread::spawn(move || assert_eq!(there.publish(&mut tx, 3), next));
        let (first, number) = look(&mut reader, &place);
        write.join().unwrap();
        match first {
            Look::Complete(version) => assert_eq!((version, number), (next, 3)),
            other => {
                assert_eq!(other, Look::Empty);
                assert_eq!(look(&mut reader, &place), (Look::Complete(next), 3));
            }
        }
    });
}

/// While versions are published, a reader that was overtaken finds a place, or another try is needed: never a
/// place behind its own, however late it learns which version is the newest.
///
/// ```text
///   writer                                reader, at version 1
///   version 3, slot 1: count = odd        overtaken
///   value, count, newest = 3              newest: 2 or 3
/// ```
fn a_place_is_found() {
    ALL.check(|| {
        let place = Place::in_region();
        let mut tx = place.writer_at(Version { lap: 0, count: 0 });
        place.publish(&mut tx, 1);
        let there = place.clone();
        let write = thread::spawn(move || publish_all(&there, &mut tx, 2..=3));
        let mut reader = reader_at(Version { lap: 0, count: 2 });
        if look(&mut reader, &place).0 == Look::Overtaken {
            match reader.sync(&place.newest, &place) {
                Sync::Lost(lost) => assert!((1..=2).contains(&lost)),
                other => assert_eq!(other, Sync::Again),
            }
        }
        write.join().unwrap();
    });
}

/// Several readers sleep on one word, and each is woken for each value: no wake is lost, and none is hidden by
/// another reader's sleep.
///
/// ```text
///   writer                                reader (one or two)
///   publish                               nothing there
///   fence                                 parked: set the lowest bit
///   parked? then count, wake all          fence, nothing there?
///                                         sleep while parked is as it was
/// ```
fn readers_wait<const READERS: usize>(search: Search, last: u32) {
    search.check(move || {
        let region = Region::new(&WAITING);
        let mut tx = writer(&region.join());
        let readers = [(); READERS].map(|()| {
            let at = region.join();
            let mut rx = at.broadcast_reader::<u32>("v", BroadcastStart::Oldest).unwrap();
            thread::spawn(move || {
                for number in 1..=last {
                    assert_eq!(rx.recv_timeout(LONG), Ok::<_, BroadcastRecvError>(number));
                }
            })
        });
        (1..=last).for_each(|number| publish(&mut tx, number));
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
