//! Frames over whatever is `embedded_io::Read` and `Write`: lines that stop and start at any byte, ends
//! at any byte, real sockets, a ring's pipe.
#![cfg(feature = "embedded-io-07")]

use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::common::Region;
use crate::common::rng::Rng;
use crate::common::seed::{property, seed};
use crate::common::stream::Sent;
use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use embedded_io_adapters::std::FromStd;
use proptest::prelude::*;
use strait_core::stream::{
    Check, FrameReader, FrameWriter, OVERHEAD, StreamDecoder, StreamEncoder, StreamFrame, StreamRecvError,
    StreamSendError,
};
use strait_core::{Channel, Plan, RingPipe, RingReader, RingWriter};

const LONG: Duration = Duration::from_secs(30);

/// What a line does at one call.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// It takes or gives up to this many bytes.
    Bytes(usize),
    /// It has nothing, or no space, now.
    NotNow,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![3 => (1_usize..40).prop_map(Act::Bytes), 1 => Just(Act::NotNow)]
}

/// A line of bytes that acts by a script, over and over.
struct Line {
    bytes: VecDeque<u8>,
    script: VecDeque<Act>,
    ended: bool,
}

impl Line {
    fn new(script: &[Act]) -> Self {
        Self { bytes: VecDeque::new(), script: script.iter().copied().collect(), ended: false }
    }

    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.iter().copied().collect(), ended: true, ..Self::new(&[Act::Bytes(7)]) }
    }

    fn next(&mut self) -> Result<usize, ErrorKind> {
        self.script.rotate_left(1);
        match self.script[self.script.len() - 1] {
            Act::Bytes(count) => Ok(count),
            Act::NotNow => Err(ErrorKind::Other),
        }
    }
}

impl ErrorType for Line {
    type Error = ErrorKind;
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(!buffer.is_empty());
        if self.bytes.is_empty() {
            return if self.ended { Ok(0) } else { Err(ErrorKind::Other) };
        }
        let count = self.next()?.min(buffer.len()).min(self.bytes.len());
        buffer.iter_mut().zip(self.bytes.drain(..count)).for_each(|(into, byte)| *into = byte);
        Ok(count)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        assert!(!bytes.is_empty());
        if self.ended {
            return Ok(0);
        }
        let count = self.next()?.min(bytes.len());
        self.bytes.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.next().map(drop)
    }
}

impl ReadReady for Line {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.ended || !self.bytes.is_empty() && matches!(self.script[0], Act::Bytes(_)))
    }
}

impl WriteReady for Line {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        let ready = matches!(self.script[0], Act::Bytes(_));
        if !ready {
            self.script.rotate_left(1);
        }
        Ok(ready)
    }
}

fn owned(frame: StreamFrame<'_>) -> Sent {
    let (tag, sequence, whole) = (frame.tag, frame.sequence, frame.check == Check::Whole);
    Sent { tag, sequence, payload: frame.payload.to_vec(), whole }
}

fn frames(rng: &mut Rng, count: u32, longest: usize, whole: bool) -> Vec<Sent> {
    (0..count).map(|n| Sent::random(rng, n, longest, whole)).collect()
}

fn check(whole: bool) -> Check {
    if whole { Check::Whole } else { Check::Header }
}

/// Sends all, calling again after each refusal as its error demands.
fn send_all<W: Write>(writer: &mut FrameWriter<'_, W>, frames: &[Sent]) {
    for frame in frames {
        loop {
            match writer.send(frame.tag, &frame.payload) {
                Ok(()) | Err(StreamSendError::Unfinished(_)) => break,
                Err(StreamSendError::Io(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    while let Err(error) = writer.flush() {
        assert!(matches!(error, StreamSendError::Unfinished(_)));
    }
}

fn recv_all<R: Read>(reader: &mut FrameReader<'_, R>, count: usize) -> Vec<Sent> {
    let mut frames = Vec::new();
    while frames.len() < count {
        match reader.recv() {
            Ok(frame) => frames.push(owned(frame)),
            Err(StreamRecvError::Io(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    frames
}

proptest! {
    #![proptest_config(property(600))]

    #[test]
    fn lines_that_stop_and_start_lose_nothing(
        numbers in any::<u64>(),
        mut there in prop::collection::vec(act(), 1..12),
        mut back in prop::collection::vec(act(), 1..12),
        (room, whole) in (0_usize..100, any::<bool>()),
    ) {
        there.push(Act::Bytes(3));
        back.push(Act::Bytes(5));
        let sent = frames(&mut Rng::new(numbers), 20, 50, whole);
        let (mut out, mut into) = (vec![0; OVERHEAD + 50 + room], vec![0; OVERHEAD + 50 + room]);
        let encoder = StreamEncoder::new(&mut out, check(whole)).unwrap();
        let mut writer = FrameWriter::new(Line::new(&there), encoder);
        send_all(&mut writer, &sent);
        let mut line = writer.into_parts().0;
        prop_assert_eq!(line.bytes.make_contiguous(), &sent.iter().flat_map(Sent::bytes).collect::<Vec<_>>());

        line.script = back.into();
        let mut reader = FrameReader::new(line, StreamDecoder::new(&mut into, check(whole)).unwrap());
        prop_assert_eq!(recv_all(&mut reader, sent.len()), sent);
        reader.io().ended = true;
        prop_assert!(matches!(reader.recv(), Err(StreamRecvError::Closed)));
    }

    /// The same without ever calling what might block.
    #[test]
    fn what_does_not_block_loses_nothing(
        numbers in any::<u64>(),
        mut script in prop::collection::vec(act(), 1..12),
        whole in any::<bool>(),
    ) {
        script.push(Act::Bytes(3));
        let sent = frames(&mut Rng::new(numbers), 20, 50, whole);
        let (mut out, mut into) = ([0; OVERHEAD + 80], [0; OVERHEAD + 80]);
        let encoder = StreamEncoder::new(&mut out, check(whole)).unwrap();
        let mut writer = FrameWriter::new(Line::new(&script), encoder);
        let mut reader = FrameReader::new(Line::new(&script), StreamDecoder::new(&mut into, check(whole)).unwrap());
        let (mut next, mut found) = (0, Vec::new());
        while found.len() < sent.len() {
            if let Some(frame) = sent.get(next) && writer.encoder().push(frame.tag, &frame.payload).is_ok() {
                next += 1;
            }
            writer.try_flush().unwrap();
            let moved = std::mem::take(&mut writer.io().bytes);
            reader.io().bytes.extend(moved);
            match reader.try_recv() {
                Ok(Some(frame)) => found.push(owned(frame)),
                Ok(None) => reader.io().script.rotate_left(1),
                Err(error) => panic!("{error:?}"),
            }
        }
        prop_assert_eq!(found, sent);
    }
}

#[test]
fn an_end_at_any_byte_is_told_from_an_end_between_frames() {
    let sent = frames(&mut Rng::new(seed()), 4, 20, true);
    let bytes: Vec<u8> = sent.iter().flat_map(Sent::bytes).collect();
    let mut ends = vec![0];
    ends.extend(sent.iter().scan(0, |at, frame| {
        *at += frame.bytes().len();
        Some(*at)
    }));
    for cut in 0..=bytes.len() {
        let mut buffer = [0; 64];
        let decoder = StreamDecoder::new(&mut buffer, Check::Whole).unwrap();
        let mut reader = FrameReader::new(Line::of(&bytes[..cut]), decoder);
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        for frame in &sent[..whole] {
            assert_eq!(owned(reader.recv().unwrap()), *frame);
        }
        if !ends.contains(&cut) {
            assert!(matches!(reader.recv(), Err(StreamRecvError::UnexpectedEof)), "cut at {cut}");
        }
        for _ in 0..2 {
            assert!(matches!(reader.recv(), Err(StreamRecvError::Closed)));
            assert!(matches!(reader.try_recv(), Err(StreamRecvError::Closed)));
        }
    }
}

#[test]
fn whole_frames_behind_one_that_was_cut_are_found_at_the_end() {
    let sent = frames(&mut Rng::new(seed()), 3, 20, true);
    let long = Sent { payload: vec![1; 200], ..sent[0].clone() };
    let mut bytes = long.bytes()[..60].to_vec();
    bytes.extend(sent[1].bytes());
    bytes.extend(&sent[2].bytes()[..7]);
    let mut buffer = [0; OVERHEAD + 200];
    let decoder = StreamDecoder::new(&mut buffer, Check::Whole).unwrap();
    let mut reader = FrameReader::new(Line::of(&bytes), decoder);
    assert_eq!(owned(reader.recv().unwrap()), sent[1]);
    assert!(matches!(reader.recv(), Err(StreamRecvError::UnexpectedEof)));
    assert!(matches!(reader.recv(), Err(StreamRecvError::Closed)));
    assert_eq!(reader.decoder().skipped(), 67);
}

#[test]
fn what_is_no_frame_is_reported_and_passed_over() {
    let frame = Sent { tag: 1, sequence: 1, payload: b"found".into(), whole: true };
    let long = Sent { payload: vec![0; 45], ..frame.clone() };
    let bytes = [vec![0xFF; 200], long.bytes(), frame.bytes()].concat();
    let mut buffer = [0; OVERHEAD + 44];
    let decoder = StreamDecoder::new(&mut buffer, Check::Whole).unwrap();
    let mut reader = FrameReader::new(Line::of(&bytes), decoder);
    let mut errors = Vec::new();
    let found = loop {
        match reader.recv() {
            Ok(frame) => break owned(frame),
            Err(error) => errors.push(error),
        }
    };
    assert_eq!(found, frame);
    // Three times 64 bytes and some; the last of them in one call with what is too large.
    let too_large = StreamRecvError::TooLarge { needed: 45 };
    assert_eq!(errors, [StreamRecvError::Garbage, StreamRecvError::Garbage, too_large]);
    assert_eq!(reader.decoder().skipped(), 265);
}

#[test]
fn a_writer_says_whether_a_frame_was_taken() {
    let mut buffer = [0; OVERHEAD + 10];
    let encoder = StreamEncoder::new(&mut buffer, Check::Header).unwrap();
    let mut writer = FrameWriter::new(Line::new(&[Act::NotNow]), encoder);
    assert_eq!(writer.send(1, &[0; 11]), Err(StreamSendError::TooLarge));
    assert_eq!(writer.send(1, b"0123456789"), Err(StreamSendError::Unfinished(ErrorKind::Other)));
    assert_eq!(writer.send(2, b"0123456789"), Err(StreamSendError::Io(ErrorKind::Other)));
    assert_eq!(writer.encoder().next_sequence(), 1, "the second was not taken");
    writer.io().script = [Act::Bytes(4)].into();
    writer.send(2, b"0123456789").unwrap();
    assert_eq!(writer.io().bytes.len(), 52);
    writer.io().ended = true;
    assert_eq!(writer.send(3, b""), Err(StreamSendError::Closed));
    assert_eq!(
        (writer.flush(), writer.try_flush()),
        (Err(StreamSendError::Closed), Err(StreamSendError::Closed))
    );
    assert_eq!(StreamSendError::<ErrorKind>::Closed.kind(), ErrorKind::WriteZero);
    assert_eq!(StreamRecvError::Io(ErrorKind::TimedOut).kind(), ErrorKind::TimedOut);
}

/// Frames there and back over any two streams: the other side sends each on as it came. The numbers
/// begin anew each round.
fn there_and_back<S>(here: S, there: S, rounds: usize)
where
    S: Read + Write + Send,
{
    const LONGEST: usize = 3000;
    let mut rng = Rng::new(seed());
    let sent = frames(&mut rng, 20, LONGEST, true);
    let mut buffers = [const { [0; OVERHEAD + LONGEST] }; 4];
    let [a, b, c, d] = &mut buffers;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut encoder = StreamEncoder::new(a, Check::Whole).unwrap();
            let mut reader = FrameReader::new(there, StreamDecoder::new(b, Check::Whole).unwrap());
            for _ in 0..rounds * sent.len() {
                let frame = reader.recv().unwrap();
                assert_eq!(frame.missed, 0);
                encoder.set_next_sequence(frame.sequence);
                encoder.push(frame.tag, frame.payload).unwrap();
                reader.io().write_all(encoder.pending()).unwrap();
                encoder.consume(usize::MAX);
            }
            assert!(matches!(reader.recv(), Err(StreamRecvError::Closed)), "an orderly end");
        });
        let mut encoder = StreamEncoder::new(c, Check::Whole).unwrap();
        let mut reader = FrameReader::new(here, StreamDecoder::new(d, Check::Whole).unwrap());
        for _ in 0..rounds {
            for frame in &sent {
                encoder.set_next_sequence(frame.sequence);
                encoder.push(frame.tag, &frame.payload).unwrap();
                reader.io().write_all(encoder.pending()).unwrap();
                encoder.consume(usize::MAX);
                assert_eq!(owned(reader.recv().unwrap()), *frame);
            }
        }
    });
}

fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let there = listener.accept().unwrap().0;
    for stream in [&here, &there] {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
    }
    (here, there)
}

#[test]
fn over_tcp() {
    let (here, there) = tcp();
    there_and_back(FromStd::new(here), FromStd::new(there), 10);
}

#[cfg(unix)]
#[test]
fn over_a_unix_socket() {
    let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
    there_and_back(FromStd::new(here), FromStd::new(there), 10);
}

#[test]
fn over_a_ring() {
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::frames("there", 512, 200).consumer_may_block().producer_may_block(),
        Channel::frames("back", 512, 200).consumer_may_block().producer_may_block(),
    ])
    .participants(4);
    let region = Region::new(&PLAN);
    let pipe = |out, back| {
        let member = region.join();
        RingPipe {
            reader: RingReader::new(member.consumer(back).unwrap(), LONG, &mut []),
            writer: RingWriter::new(member.producer(out).unwrap(), LONG),
        }
    };
    there_and_back(pipe("there", "back"), pipe("back", "there"), 10);
    let mut here = pipe("there", "back");
    assert_eq!(here.write_ready(), Ok(true));
    here.writer.set_timeout(Duration::ZERO);
    while here.write(&[7; 100]).is_ok() {}
    assert_eq!(here.write_ready(), Ok(false));
}

/// Sockets that do not block: a call that cannot go on gives an error, and the next one goes on.
#[test]
fn over_tcp_that_does_not_block() {
    let (here, there) = tcp();
    here.set_nonblocking(true).unwrap();
    there.set_nonblocking(true).unwrap();
    let sent = frames(&mut Rng::new(seed()), 300, 20_000, true);
    let (mut out, mut into) = (vec![0; OVERHEAD + 20_000], vec![0; OVERHEAD + 20_000]);
    let mut writer =
        FrameWriter::new(FromStd::new(here), StreamEncoder::new(&mut out, Check::Whole).unwrap());
    let mut reader =
        FrameReader::new(FromStd::new(there), StreamDecoder::new(&mut into, Check::Whole).unwrap());
    let found = std::thread::scope(|scope| {
        scope.spawn(|| send_all(&mut writer, &sent));
        recv_all(&mut reader, sent.len())
    });
    assert!(found == sent);
    drop(writer);
    let end = loop {
        match reader.recv() {
            Err(StreamRecvError::Io(_)) => {}
            other => break other.map(owned),
        }
    };
    assert!(matches!(end, Err(StreamRecvError::Closed)));
}

/// From a ring over a stream into another ring: each payload is copied once on either side, and tags and
/// sequence numbers stay, with the gap that the line made.
#[test]
fn from_ring_to_ring() {
    const PLAN: Plan<'_> =
        Plan::new(&[Channel::frames("a", 1024, 64), Channel::frames("b", 1024, 64)]).participants(2);
    let region = Region::new(&PLAN);
    let member = region.join();
    let (mut tx, mut first) = (member.producer("a").unwrap(), member.consumer("a").unwrap());
    let (mut second, mut rx) = (member.producer("b").unwrap(), member.consumer("b").unwrap());
    let (mut out, mut into) = ([0; 1024], [0; OVERHEAD + 64]);
    let mut encoder = StreamEncoder::new(&mut out, Check::Whole).unwrap();
    for n in 0..5 {
        tx.try_send(100 + n, format!("frame {n}").as_bytes()).unwrap();
    }
    while let Ok(peek) = first.peek() {
        let info = peek.info();
        encoder.set_next_sequence(info.sequence);
        encoder
            .push_with(info.tag, info.len, |into| {
                peek.copy_from(0, into);
            })
            .unwrap();
        peek.release();
    }
    let mut bytes = encoder.pending().to_vec();
    bytes[2 * 27 + 20] ^= 1;
    let mut reader = FrameReader::new(Line::of(&bytes), StreamDecoder::new(&mut into, Check::Whole).unwrap());
    while let Ok(frame) = reader.recv() {
        second.set_next_sequence(frame.sequence);
        second.try_send(frame.tag, frame.payload).unwrap();
    }
    assert_eq!((reader.decoder().failed(), reader.decoder().skipped()), (1, 27));
    for n in [0, 1, 3, 4] {
        let frame = rx.try_recv_frame::<64>().unwrap();
        assert_eq!((frame.tag(), frame.sequence()), (100 + n, n));
        assert_eq!(frame.payload(), format!("frame {n}").as_bytes());
    }
    assert!(rx.is_empty());
}
