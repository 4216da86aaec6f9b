//! Waiting until a byte pipe can be read or written, without doing it.
#![cfg(feature = "embedded-io-07")]

use std::time::{Duration, Instant};

use crate::common::{Member, Region};
use embedded_io::{BufRead, Read, ReadReady, Write};
use strait_core::ground::entry::at;
use strait_core::{Channel, Plan, RingPipeError, RingReader, RingWriter};

const PLAN: Plan<'_> = Plan::new(&[Channel::frames("f", 64, 16).consumer_may_block().producer_may_block()])
    .line(4)
    .participants(3);

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

#[test]
fn a_reader_waits_for_bytes_and_for_the_end() {
    let (_region, a, b) = setup();
    let mut writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let mut bounce = [0; 16];
    let mut reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut bounce);
    assert_eq!(reader.wait_readable(SHORT), Err(RingPipeError::TimedOut));
    std::thread::scope(|scope| {
        let started = Instant::now();
        scope.spawn(|| {
            std::thread::sleep(SHORT);
            writer.write_all(b"abc").unwrap();
        });
        assert_eq!(reader.wait_readable(LONG), Ok(true));
        assert!(started.elapsed() >= SHORT && started.elapsed() < LONG / 3);
    });
    assert_eq!(reader.wait_readable(Duration::ZERO), Ok(true), "nothing was taken");
    assert_eq!(reader.fill_buf(), Ok(&b"abc"[..]));
    reader.consume(1);
    assert_eq!(reader.wait_readable(Duration::ZERO), Ok(true));
    assert_eq!(reader.read_ready(), Ok(true), "the rest of the frame");
    let mut buffer = [0; 8];
    assert_eq!((reader.read(&mut buffer), &buffer[..2]), (Ok(2), &b"bc"[..]));
    assert_eq!(reader.wait_readable(Duration::ZERO), Err(RingPipeError::TimedOut));
    writer.close().unwrap();
    assert_eq!((reader.wait_readable(LONG), reader.is_ended()), (Ok(false), true));
    assert_eq!(reader.read(&mut buffer), Ok(0));
}

#[test]
fn a_writer_waits_for_space() {
    let (_region, a, b) = setup();
    let mut writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let mut reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut []);
    assert_eq!(writer.wait_writable(Duration::ZERO), Ok(()));
    let mut sent = 0;
    while writer.write(&[7; 16]).is_ok() {
        sent += 1;
    }
    assert!(sent > 0);
    assert_eq!(writer.wait_writable(SHORT), Err(RingPipeError::TimedOut));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(SHORT);
            assert_eq!(reader.read(&mut [0; 16]), Ok(16));
        });
        assert_eq!(writer.wait_writable(LONG), Ok(()));
    });
    assert!(writer.write(&[8]).is_ok());
    writer.close().unwrap_or_default();
}

#[test]
fn both_are_told_of_the_others_death() {
    let (_region, a, b) = setup();
    let writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let mut reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut []);
    a.die(writer);
    assert_eq!(reader.wait_readable(LONG), Err(RingPipeError::PeerDied));
    let (_region, a, b) = setup();
    let mut writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut []);
    while writer.write(&[7; 16]).is_ok() {}
    b.die(reader);
    assert_eq!(writer.wait_writable(LONG), Err(RingPipeError::PeerDied));
    writer.set_timeout(Duration::ZERO);
    drop(writer);
    let _ = a;
}

#[test]
fn a_read_is_ready_for_bytes_the_end_and_a_dead_writer_and_for_nothing_else() {
    let (region, a, b) = setup();
    let mut writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let mut reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut []);
    assert_eq!(reader.read_ready(), Ok(false));
    writer.write_all(b"abc").unwrap();
    assert_eq!(reader.read_ready(), Ok(true), "bytes");
    assert_eq!(reader.read(&mut [0; 3]), Ok(3));
    assert_eq!(reader.read_ready(), Ok(false));
    writer.close().unwrap();
    assert_eq!(reader.read_ready(), Ok(true), "the end");
    assert_eq!(reader.read(&mut [0; 3]), Ok(0));
    drop(writer);
    let member = region.join();
    let writer = RingWriter::new(member.producer("f").unwrap(), Duration::ZERO);
    assert_eq!(reader.read_ready(), Ok(true), "this reader stays at its end");
    let mut reader = RingReader::new(reader.into_parts().0, Duration::ZERO, &mut []);
    assert_eq!(reader.read_ready(), Ok(false));
    member.die(writer);
    assert_eq!(reader.read_ready(), Ok(true), "the death");
    assert_eq!(reader.read(&mut [0; 3]), Err(RingPipeError::PeerDied));
}

#[test]
fn a_frame_that_is_damaged_when_a_part_is_read_stays_ready() {
    let (region, a, b) = setup();
    let mut writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let mut reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut []);
    writer.write_all(b"abc").unwrap();
    assert_eq!(reader.read(&mut [0; 1]), Ok(1));
    region.poke(region.entry("f").data + at::COMMIT, 1);
    assert_eq!([(); 3].map(|()| reader.read_ready()), [Ok(true); 3]);
    assert!(matches!(reader.read(&mut [0; 2]), Err(RingPipeError::Fault(_))));
}

#[test]
fn a_read_that_returns_a_fault_stays_ready() {
    let (region, a, b) = setup();
    let mut writer = RingWriter::new(a.producer("f").unwrap(), Duration::ZERO);
    let mut reader = RingReader::new(b.consumer("f").unwrap(), Duration::ZERO, &mut []);
    writer.write_all(b"abc").unwrap();
    region.poke(region.entry("f").data + at::COMMIT, 1);
    for _ in 0..3 {
        assert_eq!(reader.read_ready(), Ok(true));
        assert!(matches!(reader.read(&mut [0; 2]), Err(RingPipeError::Fault(_))));
    }
}
