//! A byte pipe over a ring: against a queue of bytes, its ends, deaths and misbehaving peers.
#![cfg(feature = "embedded-io-07")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::common::rng::Rng;
use crate::common::seed::{property, seed};
use crate::common::world::Hook;
use crate::common::{Member, Region, TestPort};
use embedded_io::{BufRead, Error, ErrorKind, Read, ReadReady, Write, WriteReady};
use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{
    Channel, Consumer, Plan, RingPipe, RingPipeError, RingReader, RingWriter, TrySendError, Violation,
};

/// Longer than any test waits for what does come.
const LONG: Duration = Duration::from_secs(30);
const NOW: Duration = Duration::ZERO;

const MAX_FRAME: u32 = 100;
const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("there", 256, MAX_FRAME).consumer_may_block().producer_may_block(),
    Channel::frames("back", 256, MAX_FRAME).consumer_may_block().producer_may_block(),
])
.line(4)
.participants(4);

/// A region with a writer and a consumer of one direction.
fn setup(timeout: Duration) -> (Region, RingWriter<TestPort>, Consumer<TestPort>) {
    let region = Region::new(&PLAN);
    let tx = RingWriter::new(region.join().producer("there").unwrap(), timeout);
    let rx = region.join().consumer("there").unwrap();
    (region, tx, rx)
}

fn trusting(member: &Member) -> Consumer<TestPort> {
    // SAFETY: all participants of these regions are in this file, and the tests that use this are honest.
    let attachment = unsafe { member.attachment.clone().trusting_peers() };
    attachment.consumer("there").unwrap()
}

#[derive(Clone, Debug)]
enum Op {
    Write(usize),
    Read(usize),
    /// Fill the buffer, and consume this many more or fewer than were shown.
    Fill(isize),
    ReadExact(usize),
    NewReader,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_usize..250).prop_map(Op::Write),
        4 => (0_usize..150).prop_map(Op::Read),
        3 => (-60_isize..5).prop_map(Op::Fill),
        1 => (0_usize..150).prop_map(Op::ReadExact),
        1 => Just(Op::NewReader),
    ]
}

/// The bytes that are on their way, frame by frame, and how many of the first were read.
#[derive(Default)]
struct Model {
    frames: VecDeque<Vec<u8>>,
    offset: usize,
}

impl Model {
    fn left(&self) -> usize {
        self.frames.iter().map(Vec::len).sum::<usize>() - self.offset
    }

    fn read(&mut self, found: &[u8]) {
        for byte in found {
            assert_eq!(self.frames[0][self.offset], *byte);
            self.offset += 1;
            if self.offset == self.frames[0].len() {
                self.frames.pop_front();
                self.offset = 0;
            }
        }
    }
}

fn run(ops: &[Op], trusted: bool, bounce: usize) {
    let region = Region::new(&PLAN);
    let mut tx = RingWriter::new(region.join().producer("there").unwrap(), NOW);
    let member = region.join();
    let consumer = if trusted { trusting(&member) } else { member.consumer("there").unwrap() };
    let mut bounce = vec![0; bounce];
    let mut rx = RingReader::new(consumer, NOW, &mut bounce);
    let (mut model, mut next) = (Model::default(), 0_u8);
    for op in ops {
        assert_eq!(rx.read_ready(), Ok(model.left() > 0));
        match *op {
            Op::Write(len) => {
                let bytes: Vec<u8> = (0..len).map(|i| next.wrapping_add(i as u8)).collect();
                let ready = tx.write_ready().unwrap();
                match tx.write(&bytes) {
                    Ok(count) => {
                        assert!(count <= len && (count > 0 && ready || len == 0));
                        assert!(count <= MAX_FRAME as usize);
                        if count > 0 {
                            model.frames.push_back(bytes[..count].to_vec());
                        }
                        next = next.wrapping_add(count as u8);
                    }
                    Err(error) => {
                        assert_eq!((error, ready), (RingPipeError::TimedOut, false));
                        assert!(!model.frames.is_empty(), "an empty ring takes a byte");
                    }
                }
            }
            Op::Read(len) => {
                let mut buffer = vec![0; len];
                match rx.read(&mut buffer) {
                    Ok(count) => {
                        assert_eq!(count == 0, len == 0);
                        model.read(&buffer[..count]);
                    }
                    Err(error) => assert_eq!((error, model.left()), (RingPipeError::TimedOut, 0)),
                }
            }
            Op::Fill(more) => match rx.fill_buf() {
                Ok(shown) => {
                    let count = shown.len().saturating_add_signed(more);
                    let consumed = shown[..count.min(shown.len())].to_vec();
                    assert!(!shown.is_empty());
                    model.read(&consumed);
                    rx.consume(count);
                }
                Err(error) => assert_eq!((error, model.left()), (RingPipeError::TimedOut, 0)),
            },
            Op::ReadExact(len) if len <= model.left() => {
                let mut buffer = vec![0; len];
                rx.read_exact(&mut buffer).unwrap();
                model.read(&buffer);
            }
            Op::ReadExact(_) => {}
            Op::NewReader => {
                let (consumer, bounce) = rx.into_parts();
                rx = RingReader::new(consumer, NOW, bounce);
                model.offset = 0;
            }
        }
    }
    let mut buffer = [0; 7];
    loop {
        match rx.read(&mut buffer) {
            Ok(count) => model.read(&buffer[..count]),
            Err(error) => break assert_eq!(error, RingPipeError::TimedOut),
        }
    }
    assert_eq!(model.left(), 0);
    assert!(region.is_intact());
}

proptest! {
    #![proptest_config(property(1000))]

    #[test]
    fn bytes_keep_to_the_model(
        ops in prop::collection::vec(op(), 1..60),
        trusted in any::<bool>(),
        bounce in 1_usize..120,
    ) {
        run(&ops, trusted, if trusted { 0 } else { bounce });
    }
}

#[test]
fn a_megabyte_goes_both_ways_at_once() {
    const LEN: usize = 1 << 20;
    let numbers = seed();
    let region = Region::new(&PLAN);
    let pipe = |out, back| {
        let member = region.join();
        RingPipe {
            reader: RingReader::new(member.consumer(back).unwrap(), LONG, &mut []),
            writer: RingWriter::new(member.producer(out).unwrap(), LONG),
        }
    };
    let (one, mut other) = (pipe("there", "back"), pipe("back", "there"));
    let bytes = |numbers| -> Vec<u8> {
        let mut rng = Rng::new(numbers);
        (0..LEN).map(|_| rng.next() as u8).collect()
    };
    let echo = std::thread::spawn(move || {
        let mut buffer = [0; 333];
        loop {
            match other.read(&mut buffer).unwrap() {
                0 => break other.writer.close().unwrap(),
                count => other.write_all(&buffer[..count]).unwrap(),
            }
        }
    });
    let RingPipe { mut reader, mut writer } = one;
    let sent = bytes(numbers);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            writer.write_all(&sent).unwrap();
            writer.flush().unwrap();
            writer.close().unwrap();
        });
        let mut found = vec![0; LEN];
        reader.read_exact(&mut found).unwrap();
        assert_eq!(found, sent);
        assert_eq!((reader.read(&mut [0; 8]), reader.is_ended()), (Ok(0), true));
    });
    echo.join().unwrap();
}

#[test]
fn the_end_comes_after_all_bytes() {
    let (_region, mut tx, rx) = setup(NOW);
    let mut bounce = [0; 16];
    let mut rx = RingReader::new(rx, NOW, &mut bounce);
    tx.write_all(b"the last words").unwrap();
    tx.close().unwrap();
    assert_eq!(tx.write(b"more"), Err(RingPipeError::Closed));
    assert_eq!((tx.close(), tx.write_ready()), (Err(RingPipeError::Closed), Ok(true)));
    let mut found = [0; 14];
    rx.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"the last words");
    assert_eq!(rx.read_ready(), Ok(true));
    for _ in 0..3 {
        assert_eq!((rx.read(&mut found), rx.fill_buf()), (Ok(0), Ok(&[][..])));
    }
    assert_eq!((rx.is_ended(), rx.read_ready()), (true, Ok(true)));
}

#[test]
fn a_writer_that_is_dropped_ends_the_pipe_and_the_next_one_begins_anew() {
    let (region, tx, rx) = setup(NOW);
    let mut rx = RingReader::new(rx, LONG, &mut []);
    drop(tx);
    assert_eq!(rx.read(&mut [0; 8]), Ok(0));
    let mut tx = RingWriter::new(region.join().producer("there").unwrap(), NOW);
    tx.write_all(b"again").unwrap();
    assert_eq!(rx.read(&mut [0; 8]), Ok(0), "this reader is at its end");
    let mut rx = RingReader::new(rx.into_parts().0, NOW, &mut []);
    let mut found = [0; 8];
    assert_eq!((rx.read(&mut found), &found[..5]), (Ok(5), &b"again"[..]));
}

#[test]
fn a_writer_that_leaves_a_full_ring_has_left() {
    let (_region, mut tx, rx) = setup(NOW);
    while tx.write(&[7; 40]).is_ok() {}
    drop(tx);
    let mut rx = RingReader::new(rx, LONG, &mut []);
    let mut sum = 0;
    let error = loop {
        match rx.read(&mut [0; 64]) {
            Ok(count) => sum += count,
            Err(error) => break error,
        }
    };
    assert_eq!(error, RingPipeError::PeerLeft);
    assert!(sum >= 40);
}

#[test]
fn one_who_waits_for_a_peer_that_has_not_come_times_out() {
    let region = Region::new(&PLAN);
    let wait = Duration::from_millis(250);
    let mut rx = RingReader::new(region.join().consumer("there").unwrap(), wait, &mut []);
    let mut tx = RingWriter::new(region.join().producer("back").unwrap(), wait);
    while tx.write(&[7; 100]).is_ok() && tx.write_ready() == Ok(true) {}
    let start = Instant::now();
    assert_eq!(rx.read(&mut [0; 8]), Err(RingPipeError::TimedOut));
    assert_eq!(tx.write(&[0; 8]), Err(RingPipeError::TimedOut));
    assert!(start.elapsed() >= 2 * wait);
    assert_eq!((rx.read_ready(), tx.write_ready()), (Ok(false), Ok(false)));
    tx.set_timeout(NOW);
    assert_eq!(tx.close(), Err(RingPipeError::TimedOut), "and is still open");
    assert_eq!(tx.write(&[0; 8]), Err(RingPipeError::TimedOut));
}

#[test]
fn what_a_dead_writer_committed_is_read_and_its_successor_goes_on() {
    let region = Region::new(&PLAN);
    let writer = region.join();
    let mut tx = RingWriter::new(writer.producer("there").unwrap(), NOW);
    let mut rx = RingReader::new(region.join().consumer("there").unwrap(), LONG, &mut []);
    tx.write_all(b"before").unwrap();
    writer.die(tx);
    let mut found = [0; 6];
    rx.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"before");
    assert_eq!(rx.read_ready(), Ok(true), "a read has something to say");
    assert_eq!(rx.read(&mut found), Err(RingPipeError::PeerDied));
    let mut tx = RingWriter::new(region.join().producer("there").unwrap(), NOW);
    tx.write_all(b"behind").unwrap();
    rx.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"behind");
}

#[test]
fn a_writer_learns_of_its_readers_death_and_leaving() {
    let region = Region::new(&PLAN);
    let reader = region.join();
    let rx = reader.consumer("there").unwrap();
    let mut tx = RingWriter::new(region.join().producer("there").unwrap(), LONG);
    reader.die(rx);
    let error = loop {
        if let Err(error) = tx.write(&[7; 40]) {
            break error;
        }
    };
    assert_eq!((error, tx.write_ready()), (RingPipeError::PeerDied, Ok(true)));
    let rx = region.join().consumer("there").unwrap();
    tx.set_timeout(NOW);
    assert_eq!(tx.write(&[7; 40]), Err(RingPipeError::TimedOut), "a live one, but slow");
    tx.set_timeout(LONG);
    drop(rx);
    assert_eq!(tx.write(&[7; 40]), Err(RingPipeError::PeerLeft));
}

#[test]
fn a_reader_that_came_and_went_while_the_writer_waited_has_left() {
    let region = Region::new(&PLAN);
    let mut tx = RingWriter::new(region.join().producer("there").unwrap(), NOW);
    while tx.write(&[7; 40]).is_ok() {}
    let rx = region.join().consumer("there").unwrap();
    assert_eq!(tx.write(&[7; 40]), Err(RingPipeError::TimedOut), "and has seen it");
    drop(rx);
    assert_eq!(tx.write(&[7; 40]), Err(RingPipeError::PeerLeft));
}

/// A writer that writes and dies at any moment between the looks of a read: its bytes come before the
/// news of its death.
#[test]
fn the_last_words_come_before_the_death() {
    let mut fired = 0;
    for moment in 0..8 {
        let region = Region::new(&PLAN);
        let writer = region.join();
        let mut tx = RingWriter::new(writer.producer("there").unwrap(), NOW);
        let mut rx = RingReader::new(region.join().consumer("there").unwrap(), NOW, &mut []);
        let mut hooks: VecDeque<Option<Hook>> = (0..moment).map(|_| None).collect();
        hooks.push_back(Some(Box::new(move || {
            tx.write_all(b"last").unwrap();
            writer.die(tx);
        })));
        *region.hooks.on_clock.lock().unwrap() = hooks;
        let read = rx.read(&mut [0; 8]);
        if region.hooks.on_clock.lock().unwrap().is_empty() {
            fired += 1;
            assert!(matches!(read, Ok(4) | Err(RingPipeError::TimedOut)), "{read:?} at {moment}");
            if read != Ok(4) {
                assert_eq!(rx.read(&mut [0; 8]), Ok(4));
            }
            assert_eq!(rx.read(&mut [0; 8]), Err(RingPipeError::PeerDied));
        } else {
            assert_eq!(read, Err(RingPipeError::TimedOut));
        }
    }
    assert!((3..8).contains(&fired), "{fired} moments");
}

#[test]
fn a_reader_that_dies_within_a_frame_leaves_all_of_it() {
    let (region, mut tx, _) = setup(NOW);
    tx.write_all(b"one frame").unwrap();
    let reader = region.join();
    let mut rx = RingReader::new(reader.consumer("there").unwrap(), NOW, &mut []);
    rx.read_exact(&mut [0; 4]).unwrap();
    reader.die(rx);
    let mut rx = RingReader::new(region.join().consumer("there").unwrap(), NOW, &mut []);
    let mut found = [0; 9];
    assert_eq!((rx.read(&mut found), &found), (Ok(9), b"one frame"));
}

#[test]
fn bytes_without_a_place_to_show_them_are_not_shown() {
    let (region, mut tx, rx) = setup(NOW);
    tx.write_all(b"shown").unwrap();
    let mut blind = RingReader::new(rx, NOW, &mut []);
    assert_eq!(blind.fill_buf(), Err(RingPipeError::NoSpace));
    assert_eq!(blind.read(&mut [0; 2]), Ok(2), "a read needs none");
    drop(blind);
    let mut rx = RingReader::new(trusting(&region.join()), NOW, &mut []);
    assert_eq!(rx.fill_buf(), Ok(&b"shown"[..]));
    rx.consume(2);
    assert_eq!(rx.read(&mut [0; 1]), Ok(1));
    assert_eq!(rx.fill_buf(), Ok(&b"wn"[..]));
    rx.consume(usize::MAX);
    assert_eq!(rx.fill_buf(), Err(RingPipeError::TimedOut));
    for bytes in [b"first", b"other"] {
        tx.write_all(bytes).unwrap();
    }
    assert_eq!(rx.fill_buf(), Ok(&b"first"[..]));
    assert_eq!(rx.read(&mut [0; 8]), Ok(5));
    rx.consume(5);
    assert_eq!(rx.fill_buf(), Ok(&b"other"[..]), "what was read is not consumed again");
}

#[test]
fn a_channel_of_empty_frames_carries_no_bytes() {
    let region = Region::new(&Plan::new(&[Channel::frames("there", 64, 0)]).line(4).participants(2));
    let mut tx = RingWriter::new(region.join().producer("there").unwrap(), NOW);
    assert_eq!((tx.write(b"x"), tx.write(b"")), (Err(RingPipeError::NoSpace), Ok(0)));
    let mut rx = RingReader::new(region.join().consumer("there").unwrap(), NOW, &mut []);
    assert_eq!(rx.read(&mut [0; 1]), Err(RingPipeError::TimedOut));
    tx.close().unwrap();
    assert_eq!(rx.read(&mut [0; 1]), Ok(0));
}

/// A writer that changes a frame while it is read in parts: a fault, and no bytes of nowhere. What
/// `fill_buf` has shown stays as it was.
#[test]
fn a_frame_that_shrinks_is_a_lie() {
    for word in [1 << 31 | 3, 0, 1 << 31 | 4000] {
        let (region, mut tx, rx) = setup(NOW);
        let data = region.entry("there").data;
        let mut bounce = [0; 4];
        let mut rx = RingReader::new(rx, NOW, &mut bounce);
        tx.write_all(b"0123456789").unwrap();
        rx.read_exact(&mut [0; 2]).unwrap();
        assert_eq!(rx.fill_buf(), Ok(&b"2345"[..]));
        region.poke(data + at::COMMIT, word);
        region.write(data + 16, b"##########");
        assert_eq!(rx.fill_buf(), Ok(&b"2345"[..]), "what was shown");
        let mut found = [0; 8];
        assert_eq!((rx.read(&mut found), &found[..4]), (Ok(4), &b"2345"[..]));
        assert_eq!(rx.read(&mut found), Err(RingPipeError::Fault(Violation::Length)), "{word:x}");
        assert_eq!(rx.fill_buf(), Err(RingPipeError::Fault(Violation::Length)));
        assert_eq!(rx.into_parts().0.fault(), Some(Violation::Length));
    }
}

#[test]
fn a_writer_latches_the_lies_of_its_reader() {
    let (region, mut tx, _rx) = setup(LONG);
    region.poke(region.entry("there").block_b + at::HEAD, 4096);
    let error = loop {
        if let Err(error) = tx.write(&[7; 40]) {
            break error;
        }
    };
    assert_eq!((error, tx.write(b"more")), (RingPipeError::Fault(Violation::Index), Err(error)));
    assert_eq!(tx.write_ready(), Ok(true));
}

#[test]
fn errors_have_kinds() {
    assert_eq!(RingPipeError::TimedOut.kind(), ErrorKind::TimedOut);
    assert_eq!(RingPipeError::PeerDied.kind(), ErrorKind::ConnectionReset);
    assert_eq!(RingPipeError::PeerLeft.kind(), ErrorKind::BrokenPipe);
    assert_eq!(RingPipeError::Fault(Violation::Pad).kind(), ErrorKind::InvalidData);
}

/// Frames under their own numbers, from elsewhere into a ring: gaps stay, and a successor goes on from
/// the last.
#[test]
fn a_ring_carries_the_numbers_of_elsewhere() {
    let region = Region::new(&PLAN);
    let producer = region.join();
    let mut tx = producer.producer("there").unwrap();
    let mut rx = region.join().consumer("there").unwrap();
    let mut buffer = [0; 8];
    for sequence in [7, 8, 12, u32::MAX, 3] {
        tx.set_next_sequence(sequence);
        tx.try_send(0, b"x").unwrap();
        assert_eq!(rx.try_recv(&mut buffer).unwrap().sequence, sequence);
    }
    tx.set_next_sequence(100);
    tx.try_send(0, b"x").unwrap();
    tx.set_next_sequence(200);
    assert_eq!(tx.try_send(0, &[0; 101]), Err(TrySendError::TooLarge));
    producer.die(tx);
    let mut tx = region.join().producer("there").unwrap();
    assert_eq!(tx.next_sequence(), 101, "200 was never sent");
    tx.try_send(0, b"y").unwrap();
    assert_eq!(rx.try_recv(&mut buffer).unwrap().sequence, 100);
    assert_eq!(rx.try_recv(&mut buffer).unwrap().sequence, 101);
}
