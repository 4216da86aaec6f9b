//! Byte pipes over a queue of frames whose reader or writer dies at every step, and is succeeded.

use std::time::Duration;

use embedded_io::{Read, Write};
use strait_core::model::Port;
use strait_core::model::loom::thread;
use strait_core::{RingReader, RingWriter};

use crate::models;
use crate::queue::{Frames, Queue};
use crate::search::{Search, up_to};
use crate::spsc_succession::{AT_ONCE, LAZY, tx, used};

models! {
    "reader_dies/at_once" => reader_dies(up_to(2), AT_ONCE),
    "reader_dies/lazy" => reader_dies(up_to(2), LAZY),
    "writer_dies" => writer_dies(up_to(2)),
}

type Ring = Frames<256>;

/// No time at all: a wait looks once.
const NOW: Duration = Duration::ZERO;

fn reader(rx: <Ring as Queue>::Rx) -> RingReader<'static, Port> {
    RingReader::new(rx, NOW, &mut [])
}

fn writer(tx: <Ring as Queue>::Tx) -> RingWriter<Port> {
    RingWriter::new(tx, NOW)
}

/// Writes a byte, which becomes a frame.
fn put(writer: &mut RingWriter<Port>, byte: u8) {
    assert_eq!(writer.write(&[byte]), Ok(1), "there is room");
}

/// Reads what there is, a byte at a time.
fn rest(reader: &mut RingReader<'static, Port>) -> Vec<u8> {
    let mut byte = [0];
    std::iter::from_fn(|| (reader.read(&mut byte) == Ok(1)).then_some(byte[0])).collect()
}

/// The reader dies anywhere from its claim to the end of three reads. Between it and its heir they see every byte, in
/// order, and of what the dead one saw the heir sees the last byte again at most, whatever the options say: the one in
/// its hands. Up to two preemptions.
///
/// ```text
///   writer                                reader, then its heir
///   write, publish, write, publish        claim, copy, release, copy, release, ...
///                                         (killed somewhere here)
///                                         claim with proof of death
///                                         copy from the head on
/// ```
fn reader_dies(search: Search, options: strait_core::ConsumerOptions) {
    search.each_death(move |death| {
        let (region, heir) = used::<Ring>(0);
        let mut writer = writer(tx::<Ring>(&region.join()));
        (1..=2).for_each(|byte| put(&mut writer, byte));
        let at = region.join();
        let reading = thread::spawn(move || {
            // A byte that it saw is there even if it was killed before it knew.
            let mut first = [0; 3];
            let _ = death.run(at.port(), || {
                let mut reader = reader(Ring::rx(&at, options).expect("the role is free"));
                first.iter_mut().all(|byte| reader.read(core::slice::from_mut(byte)) == Ok(1))
            });
            let rx = Ring::rx(&heir, options).expect("its owner is dead or has given it back");
            (first, reader(rx))
        });
        (3..=4).for_each(|byte| put(&mut writer, byte));
        let (first, mut reader) = reading.join().unwrap();
        let seen = first.iter().take_while(|byte| **byte != 0).count();
        assert_eq!(first[..seen], [1, 2, 3][..seen]);
        let second = rest(&mut reader);
        let missed = 4 - seen;
        assert!(second.len() == missed || second.len() == missed + 1, "{first:?}, then {second:?}");
        assert_eq!(second, [1, 2, 3, 4][4 - second.len()..]);
    });
}

/// The writer dies anywhere from its claim to the end of its pipe. What was published is read, in order; then comes the
/// end, if it was published, or what its heir writes. Up to two preemptions.
///
/// ```text
///   writer, then its heir                 reader
///   claim, write, publish, write, ...     copy what is published
///   the end                               release it
///   (killed somewhere here)
///   claim with proof of death
///   walk from the mark to the tail
///   write, publish, mark
/// ```
fn writer_dies(search: Search) {
    search.each_death(move |death| {
        let (region, heir) = used::<Ring>(0);
        let mut reader = reader(Ring::rx(&region.join(), AT_ONCE).unwrap());
        let at = region.join();
        let writing = thread::spawn(move || {
            let end = death.run(at.port(), || {
                let mut writer = writer(tx::<Ring>(&at));
                (1..=2).for_each(|byte| put(&mut writer, byte));
            });
            let mut writer = writer(tx::<Ring>(&heir));
            put(&mut writer, 100);
            (end.is_ok(), writer)
        });
        let mut got = Vec::new();
        let mut byte = [0];
        if reader.read(&mut byte) == Ok(1) {
            got.push(byte[0]);
        }
        let (lived, _writer) = writing.join().unwrap();
        got.extend(rest(&mut reader));
        if reader.is_ended() {
            assert_eq!(got, [1, 2], "all that was written before the end");
        } else {
            let last = got.pop();
            assert!(!lived && last == Some(100), "{got:?}, then {last:?}");
            assert_eq!(got, [1, 2][..got.len()]);
        }
    });
}
