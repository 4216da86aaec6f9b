//! The latest of a stream of values: one writer, any number of readers.

use std::ops::Deref;

use strait_core::ground::entry::at;
use strait_core::ground::sync::{Mem, Span, Word, WordRef};
use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::port::RELAXED;
use strait_core::protocol::latest::{Attempt, Buffers, Version, Writer, attempt};
use strait_core::{Attachment, Channel, LatestReader, LatestWriter, Plan, Reading, format::Entry};

use crate::models;
use crate::search::{ALL, Search, up_to};

models! {
    "never_torn_never_back/2_buffers" => never_torn_never_back(ALL, 2, 3, 1),
    "never_torn_never_back/2_buffers_two_reads" => never_torn_never_back(up_to(3), 2, 3, 2),
    "never_torn_never_back/2_buffers_four_writes" => never_torn_never_back(up_to(2), 2, 4, 1),
    "never_torn_never_back/4_buffers" => never_torn_never_back(up_to(2), 4, 5, 2),
    "two_readers/2_buffers" => two_readers(up_to(1), 2, 1),
    "two_readers/4_buffers" => two_readers(ALL, 4, 2),
    "writer_dies/2_buffers" => writer_dies(up_to(3).quick(2), 2),
    "writer_dies/4_buffers" => writer_dies(ALL, 4),
    "the_first_value_is_seen_at_once" => the_first_value_is_seen_at_once(),
    "an_attempt_is_whole" => an_attempt_is_whole(),
    "a_lap_later" => a_lap_later(),
}

const TWO: Plan<'static> = Plan::new(&[Channel::latest::<u32>("v")]).line(4).participants(3);
const FOUR: Plan<'static> = Plan::new(&[Channel::latest::<u32>("v").buffers(4)]).line(4).participants(3);

fn plan(buffers: u32) -> &'static Plan<'static> {
    match buffers {
        2 => &TWO,
        4 => &FOUR,
        _ => panic!("no such plan"),
    }
}

fn writer(at: &Attachment<Port>) -> LatestWriter<u32, Port> {
    at.latest_writer("v").expect("the role is free, or its owner dead")
}

fn reader(region: &Region) -> LatestReader<u32, Port> {
    region.look().latest_reader("v").unwrap()
}

/// Publishes a number, in the value and in the tag beside it, so that a torn value is noticed.
fn publish(tx: &mut LatestWriter<u32, Port>, number: u32) {
    tx.publish_tagged(!number, &number);
}

/// The number and the version read, if the value is whole; there must be one.
fn read(rx: &mut LatestReader<u32, Port>) -> (u32, u64) {
    let reading = rx.read();
    let number = reading.value().unwrap_or_else(|| panic!("{reading:?}"));
    let info = rx.info().expect("something was read");
    assert_eq!(info.tag, !number, "the value is torn");
    (number, info.number)
}

/// Reads this many times, and asserts that the numbers match their versions and never go back.
fn read_on(rx: &mut LatestReader<u32, Port>, reads: u32) {
    let mut last = 0;
    for _ in 0..reads {
        let (number, version) = read(rx);
        assert_eq!(u64::from(number), version);
        assert!(number >= last, "{number} came after {last}");
        last = number;
    }
}

/// A reader sees whole values, in the order in which they were written, and the last one in the
/// end. It is never held up by the writer for long: eight tries are more than there are writes. Up
/// to three preemptions with two reads, up to two with more writes.
///
/// ```text
///   writer                                reader
///   count = odd                           newest, lap, count
///   value                                 value
///   count = even                          count, lap: as before?
///   newest = count
/// ```
fn never_torn_never_back(search: Search, buffers: u32, writes: u32, reads: u32) {
    search.check(move || {
        let region = Region::new(plan(buffers));
        let (mut tx, mut rx) = (writer(&region.join()), reader(&region));
        publish(&mut tx, 1);
        let write = thread::spawn(move || (2..=writes).for_each(|number| publish(&mut tx, number)));
        read_on(&mut rx, reads);
        write.join().unwrap();
        assert_eq!(rx.read().value(), Some(writes));
        assert_eq!(rx.read(), Reading::Stale(writes));
    });
}

/// Two readers, of which each sees what one alone would see. With two buffers, where they meet the
/// writer, up to one preemption.
///
/// ```text
///   writer                                reader                 reader
///   count, value, count, newest           newest, lap, count,    newest, lap, count,
///                                         value, count, lap      value, count, lap
/// ```
fn two_readers(search: Search, buffers: u32, reads: u32) {
    search.check(move || {
        let region = Region::new(plan(buffers));
        let mut tx = writer(&region.join());
        publish(&mut tx, 1);
        let readers =
            [reader(&region), reader(&region)].map(|mut rx| thread::spawn(move || read_on(&mut rx, reads)));
        (2..=3).for_each(|number| publish(&mut tx, number));
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// The writer dies anywhere from its claim to its end; another takes over. There is a value to be
/// read at any time: the one before, or the new one if its publication was the last thing done.
/// Nobody sees a value that the dead one had written and not published. With two buffers, where
/// the heir meets the reader, up to three preemptions.
///
/// ```text
///   writer, then its heir                 reader
///   claim, count, value, count, newest    newest, lap, count
///   (killed somewhere here)               value
///   claim with proof of death             count, lap
///   count, value, count, newest
/// ```
fn writer_dies(search: Search, buffers: u32) {
    search.each_death(move |death| {
        let region = Region::new(plan(buffers));
        let (at, heir) = (region.join(), region.join());
        let mut rx = reader(&region);
        publish(&mut writer(&heir), 1);
        let write = thread::spawn(move || {
            let mut published = 1;
            let _ = death.run(at.port(), || {
                let mut tx = writer(&at);
                publish(&mut tx, 2);
                published = 2;
            });
            let mut tx = writer(&heir);
            let before = tx.published();
            assert!(before == published || (before, published) == (2, 1));
            // It has the version that the dead writer's would have got, but another value.
            publish(&mut tx, 3);
            before
        });
        let mut seen = vec![read(&mut rx), read(&mut rx)];
        let before = write.join().unwrap();
        seen.push(read(&mut rx));
        let all = [(1, 1), (2, 2), (3, before + 1)];
        let places =
            seen.iter().map(|seen| all.iter().position(|one| one == seen).expect("it was published"));
        let places: Vec<_> = places.collect();
        assert!(places.is_sorted(), "{seen:?}");
        assert_eq!(places.last(), Some(&2));
        assert!(before == 2 || !places.contains(&1), "2 was never published: {seen:?}");
    });
}

/// The words of a channel, for the protocol alone.
#[derive(Clone)]
pub(crate) struct Place {
    pub newest: WordRef,
    span: Span,
    stride: u32,
    pub capacity: u32,
}

impl Buffers for Place {
    fn count(&self, index: u32) -> impl Deref<Target = Word> {
        self.span.header(index * self.stride + at::COUNT)
    }

    fn lap(&self, index: u32) -> impl Deref<Target = Word> {
        self.span.header(index * self.stride + at::LAP)
    }
}

impl Place {
    fn new(mem: &Mem, entry: &Entry) -> Self {
        let span = mem.span(entry.data, entry.capacity * entry.stride).unwrap();
        let newest = mem.word_ref(entry.block_a + at::NEWEST).unwrap();
        Self { newest, span, stride: entry.stride, capacity: entry.capacity }
    }

    pub fn in_region() -> Self {
        let region = Region::new(&TWO);
        Self::new(region.mem(), &region.look().channel("v").unwrap())
    }

    /// A writer that has published up to this version, which is kept outside the region.
    pub fn writer_at(&self, version: Version) -> Writer {
        let elsewhere = Self::in_region();
        let newest = Word::new(version.count);
        (0..elsewhere.capacity).for_each(|index| elsewhere.lap(index).store(version.lap, RELAXED));
        Writer::adopt(&newest, &elsewhere, self.capacity)
    }

    /// Publishes a number, twice.
    pub fn publish(&self, tx: &mut Writer, number: u32) -> Version {
        let index = tx.begin(self);
        let bytes = [number.to_le_bytes(); 2];
        self.span.write_racing(index * self.stride + at::VALUE_TAG, bytes.as_flattened());
        tx.publish(&self.newest, self)
    }

    /// Reads the number in a buffer, which stands there twice.
    pub fn copy(&self, index: u32, words: &mut [[u8; 4]; 2]) {
        self.span.read_racing(index * self.stride + at::VALUE_TAG, words.as_flattened_mut());
    }

    /// One attempt to read: the version and the number, if there were any.
    fn attempt(&self) -> Result<(Version, u32), Attempt> {
        let mut words = [[0; 4]; 2];
        let attempt = attempt(&self.newest, self, self.capacity, |index| self.copy(index, &mut words));
        let Attempt::Complete(version) = attempt else { return Err(attempt) };
        let [number, again] = words.map(u32::from_le_bytes);
        assert_eq!(number, again, "the value of {version:?} is torn");
        Ok((version, number))
    }
}

/// While one value is published, the first ever, there is nothing to try again for: an attempt finds
/// nothing, or the value (L1).
///
/// ```text
///   writer                                reader
///   count = odd, value, count = even      newest
///   newest = count                        the buffer that it names is complete
/// ```
fn the_first_value_is_seen_at_once() {
    ALL.check(|| {
        let place = Place::in_region();
        let there = place.clone();
        let mut tx = place.writer_at(Version { lap: 0, count: 0 });
        let write = thread::spawn(move || assert_eq!(there.publish(&mut tx, 1).number(), 1));
        match place.attempt() {
            Ok((version, number)) => assert_eq!((version.number(), number), (1, 1)),
            Err(attempt) => assert_eq!(attempt, Attempt::Empty, "named before it was complete"),
        }
        write.join().unwrap();
    });
}

/// With two buffers the second publication from now overwrites the one being read.
///
/// ```text
///   writer                                reader
///   version 2, buffer 0                   newest: version 1, in buffer 1
///   version 3, buffer 1                   lap, count, value, count, lap of buffer 1
/// ```
fn an_attempt_is_whole() {
    ALL.check(|| {
        let place = Place::in_region();
        let mut tx = place.writer_at(Version { lap: 0, count: 0 });
        place.publish(&mut tx, 1);
        let there = place.clone();
        let write = thread::spawn(move || {
            (2..=3).for_each(|number| {
                assert_eq!(there.publish(&mut tx, number).number(), u64::from(number));
            })
        });
        if let Ok((version, number)) = place.attempt() {
            assert_eq!(version.number(), u64::from(number));
        }
        write.join().unwrap();
    });
}

/// A reader is held up while 2^31 values are published, so that the count wraps and the buffer that
/// it reads holds the same count again. It must not take the old value for the new one, nor a
/// mixture. (The values in between are left out: a reader need not see any of them.)
///
/// ```text
///   writer                                reader
///   version 2^31, buffer 0, count 0       newest: count 2, in buffer 1
///   version 2^31 + 1, buffer 1, count 2   lap, count, value, count, lap of buffer 1
/// ```
fn a_lap_later() {
    ALL.check(|| {
        let place = Place::in_region();
        let first = place.publish(&mut place.writer_at(Version { lap: 0, count: 0 }), 1);
        assert_eq!(first, Version { lap: 0, count: 2 });
        let there = place.clone();
        let mut tx = place.writer_at(Version { lap: 0, count: u32::MAX - 1 });
        let write = thread::spawn(move || {
            assert_eq!(there.publish(&mut tx, 2), Version { lap: 1, count: 0 });
            assert_eq!(there.publish(&mut tx, 3), Version { lap: 1, count: 2 });
        });
        if let Ok((version, number)) = place.attempt() {
            let published = match (version.lap, version.count) {
                (0, 2) => 1,
                (1, 0) => 2,
                (1, 2) => 3,
                other => panic!("{other:?} was never published"),
            };
            assert_eq!(number, published);
        }
        write.join().unwrap();
        assert_eq!(place.attempt(), Ok((Version { lap: 1, count: 2 }, 3)));
    });
}
