//! Contracts over a stream of bytes: agreement, answers that come late, and ends that lie, panic or go.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use strait_core::Ran;
use strait_core::contract::{
    ByteStream, ByteStreamError, Carrier, Contract, Difference, FunctionError, OpenContractError,
    ServeContractError, StreamCarrier,
};
use strait_core::stream::{Check, StreamDecoder, StreamEncoder};

const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);
const REFUSED: u32 = 1 << 31;

strait_core::message! {
    struct Pair { a: u32, b: u32 }
    struct Long { text: [u8; 200] }
}

strait_core::contract! {
    contract Sums: client SumsClient, server SumsServer {
        fn add(pair: Pair) -> u64;
        fn spell(number: u32) -> Long;
        post note(text: Long);
    }
}

mod other {
    use super::{Long, Pair};
    strait_core::contract! {
        pub contract Sums: client SumsClient, server SumsServer {
            fn add(pair: Pair) -> u64;
            fn spell(number: u64) -> Long;
            post note(text: Long);
        }
    }
}

#[derive(Default)]
struct Adder {
    notes: u32,
}

impl SumsServer for Adder {
    fn add(&mut self, pair: &Pair) -> Result<u64, u16> {
        assert_ne!(pair.a, 13, "13 makes this server panic");
        let sum = u64::from(pair.a) + u64::from(pair.b);
        if sum > 1000 { Err(9) } else { Ok(sum) }
    }

    fn spell(&mut self, number: &u32) -> Result<Long, u16> {
        Ok(Long { text: [*number as u8; 200] })
    }

    fn note(&mut self, text: &Long) {
        assert_eq!(text.text, [b'n'; 200]);
        self.notes += 1;
    }
}

/// One end of a line, which gives and takes a few bytes at a time.
struct End {
    tx: Sender<Vec<u8>>,
    rx: Receiver<Vec<u8>>,
    came: Vec<u8>,
    end: Instant,
    chunk: usize,
    /// Bytes that it still takes; then it is full.
    room: usize,
}

fn line(chunk: usize) -> (End, End) {
    let ((a, from_a), (b, from_b)) = (channel(), channel());
    let end = |tx, rx| End { tx, rx, came: Vec::new(), end: Instant::now(), chunk, room: usize::MAX };
    (end(a, from_b), end(b, from_a))
}

impl ByteStream for End {
    fn limit(&mut self, timeout: Duration) {
        self.end = Instant::now() + timeout;
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ByteStreamError> {
        if self.came.is_empty() {
            let left = self.end.saturating_duration_since(Instant::now());
            match self.rx.recv_timeout(left) {
                Ok(bytes) => self.came = bytes,
                Err(RecvTimeoutError::Timeout) => return Err(ByteStreamError::TimedOut),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let count = into.len().min(self.came.len()).min(self.chunk);
        into[..count].copy_from_slice(&self.came[..count]);
        self.came.drain(..count);
        Ok(count)
    }

    fn write(&mut self, from: &[u8]) -> Result<usize, ByteStreamError> {
        let count = from.len().min(self.chunk).min(self.room);
        if count == 0 {
            return Err(ByteStreamError::TimedOut);
        }
        self.room -= count;
        self.tx.send(from[..count].to_vec()).map_err(|_| ByteStreamError::Closed)?;
        Ok(count)
    }
}

/// A server that goes on after panics, until its client is gone.
fn serve(io: End) -> (Adder, u32) {
    let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
    let mut requests = Sums::accept(io, &mut into, &mut out).unwrap();
    let (mut adder, mut panics) = (Adder::default(), 0);
    loop {
        match catch_unwind(AssertUnwindSafe(|| Sums::serve(&mut requests, &mut adder, PATIENCE))) {
            Ok(Err(ServeContractError::ClientGone)) => return (adder, panics),
            Ok(served) => assert_ne!(served.unwrap(), 0),
            Err(_) => panics += 1,
        }
    }
}

#[test]
fn functions_are_called_over_any_chunks() {
    for chunk in [1, 7, 1000] {
        let (io, theirs) = line(chunk);
        let server = thread::spawn(move || serve(theirs));
        let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
        let mut sums = Sums::connect(io, &mut into, &mut out, PATIENCE).unwrap();
        for n in 0..20 {
            assert_eq!(
                sums.add(&Pair { a: n, b: 2 }, PATIENCE),
                if n == 13 { Err(FunctionError::Refused { code: 0 }) } else { Ok(u64::from(n) + 2) }
            );
            sums.note(&Long { text: [b'n'; 200] }).unwrap();
        }
        assert_eq!(sums.add(&Pair { a: 999, b: 2 }, PATIENCE), Err(FunctionError::Refused { code: 9 }));
        assert_eq!(sums.spell(&7, PATIENCE).unwrap().text, [7; 200]);
        drop(sums);
        let (adder, panics) = server.join().unwrap();
        assert_eq!((adder.notes, panics), (20, 1));
    }
}

#[test]
fn both_sides_refuse_another_contract() {
    let (io, theirs) = line(50);
    let server = thread::spawn(move || serve(theirs));
    let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
    let error = other::Sums::connect(io, &mut into, &mut out, PATIENCE).err().unwrap();
    assert!(matches!(error, OpenContractError::Differs(Difference::Argument { .. })));
    assert_eq!(
        error.to_string(),
        "the contracts differ: function `spell` takes another argument on the other side; build both sides from one definition"
    );
    assert_eq!(server.join().unwrap().0.notes, 0);
}

/// The other end, frame by frame.
struct Raw {
    io: End,
    came: Vec<u8>,
    next: u32,
}

impl Raw {
    fn new(io: End) -> Self {
        Self { io, came: vec![0; 1000], next: 0 }
    }

    fn send(&mut self, tag: u32, sequence: u32, payload: &[u8]) {
        let mut buffer = [0; 1000];
        let mut encoder = StreamEncoder::new(&mut buffer, Check::Whole).unwrap();
        encoder.set_next_sequence(sequence);
        encoder.push(tag, payload).unwrap();
        self.io.tx.send(encoder.pending().to_vec()).unwrap();
    }

    /// Sends a request, and returns tag and payload of the answer.
    fn ask(&mut self, tag: u32, payload: &[u8]) -> (u32, Vec<u8>) {
        self.next += 1;
        self.send(tag, self.next, payload);
        let (tag, sequence, payload) = self.recv();
        assert_eq!(sequence, self.next);
        (tag, payload)
    }

    /// The next frame; frames must come one at a time.
    fn recv(&mut self) -> (u32, u32, Vec<u8>) {
        let mut decoder = StreamDecoder::new(&mut self.came, Check::Whole).unwrap();
        self.io.limit(PATIENCE);
        loop {
            if let Some(frame) = decoder.next_frame() {
                return (frame.tag, frame.sequence, frame.payload.to_vec());
            }
            let count = self.io.read(decoder.space()).unwrap();
            assert_ne!(count, 0);
            decoder.fill(count);
        }
    }
}

#[test]
fn a_client_that_lies_gets_no_function_run() {
    let (io, theirs) = line(1000);
    let server = thread::spawn(move || serve(theirs));
    let mut raw = Raw::new(io);
    let pair = [1, 0, 0, 0, 2, 0, 0, 0];
    let refused = (REFUSED, Vec::new());
    // Nothing is agreed on yet, nor by a question with another hash, or by half of one.
    assert_eq!(raw.ask(1, &pair), refused);
    assert_eq!(raw.ask(0, &[0; 12]).0, 0);
    assert_eq!(raw.ask(0, &[0; 11]), refused);
    assert_eq!(raw.ask(1, &pair), refused);
    // A text is asked for beyond its end.
    let mut question = [0xFF; 12];
    question[..8].copy_from_slice(&Sums::HASH.to_le_bytes());
    let (tag, piece) = raw.ask(0, &question);
    assert_eq!((tag, &piece[..8], &piece[8..]), (0, &Sums::HASH.to_le_bytes()[..], &[0; 20][..]));
    // Of a number that there is not, and of another length. A post is never answered, so the next answer is the call's.
    for number in [4, 77, REFUSED, u32::MAX] {
        assert_eq!(raw.ask(number, &pair), refused);
    }
    assert_eq!(raw.ask(1, &pair[..7]), refused);
    assert_eq!(raw.ask(1, &[0; 9]), refused);
    raw.send(3, 900, &[0; 3]);
    assert_eq!(raw.ask(1, &pair), (1, vec![3, 0, 0, 0, 0, 0, 0, 0]));
    drop(raw);
    assert_eq!(server.join().unwrap().0.notes, 0);
}

/// Connects to a server that is played by hand.
fn with_liar(
    liar: impl FnOnce(&mut Raw) + Send + 'static,
    client: impl FnOnce(&mut StreamCarrier<'_, Sums, End>),
) {
    let (io, theirs) = line(1000);
    let liar = thread::spawn(move || {
        let mut raw = Raw::new(theirs);
        let (tag, sequence, _) = raw.recv();
        let mut agreed = [0; 28];
        agreed[..8].copy_from_slice(&Sums::HASH.to_le_bytes());
        raw.send(tag, sequence, &agreed);
        liar(&mut raw);
        raw
    });
    let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
    let mut carrier = StreamCarrier::<Sums, _>::connect(io, &mut into, &mut out, PATIENCE).unwrap();
    client(&mut carrier);
    drop(liar.join().unwrap());
}

#[test]
fn an_answer_of_another_function_or_length_is_none() {
    for (tag, len) in [(2, 8), (1, 7), (1, 9), (1, 0), (0, 8), (REFUSED, 1)] {
        let liar = move |raw: &mut Raw| {
            let (_, sequence, _) = raw.recv();
            raw.send(tag, sequence, &vec![1; len]);
        };
        with_liar(liar, |carrier| {
            let told = carrier.call(1, &[0; 8], &mut [0; 8], PATIENCE);
            assert_eq!(told, Err(FunctionError::WrongAnswer), "tag {tag}, {len} bytes");
        });
    }
}

#[test]
fn an_answer_that_comes_late_is_dropped() {
    let (late, is_late) = channel();
    let liar = move |raw: &mut Raw| {
        let (tag, first, _) = raw.recv();
        is_late.recv().unwrap();
        raw.send(tag, first, &[1; 8]);
        let (tag, second, _) = raw.recv();
        raw.send(tag, first, &[1; 8]);
        raw.send(tag, second, &[2; 8]);
    };
    with_liar(liar, |carrier| {
        let mut answer = [0; 8];
        let none = carrier.call(1, &[0; 8], &mut answer, SHORT);
        assert_eq!(none, Err(FunctionError::TimedOut { ran: Ran::Maybe }));
        late.send(()).unwrap();
        assert_eq!((carrier.call(1, &[0; 8], &mut answer, PATIENCE), answer), (Ok(()), [2; 8]));
    });
}

#[test]
fn a_server_that_goes_may_have_run_the_function() {
    let (io, mut theirs) = line(1000);
    let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
    let server = thread::spawn(move || {
        let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
        theirs.limit(PATIENCE);
        let mut requests = Sums::accept(theirs, &mut into, &mut out).unwrap();
        Sums::serve(&mut requests, &mut Adder::default(), PATIENCE)
    });
    let mut sums = Sums::connect(io, &mut into, &mut out, PATIENCE).unwrap();
    assert_eq!(server.join().unwrap(), Ok(1));
    let gone = sums.add(&Pair { a: 1, b: 1 }, PATIENCE);
    assert_eq!(gone, Err(FunctionError::ServerGone { ran: Ran::Maybe }));
    // What could not be written is still in the buffer, and there is no room for more.
    let gone = sums.note(&Long { text: [0; 200] });
    assert_eq!(gone, Err(FunctionError::ServerGone { ran: Ran::No }));
}

/// A frame that is written in part is finished by what follows, so the stream stays in order.
#[test]
fn a_stream_that_is_full_keeps_one_post_and_refuses_the_next() {
    let (io, theirs) = line(1000);
    let server = thread::spawn(move || serve(theirs));
    let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
    let mut sums = Sums::connect(io, &mut into, &mut out, PATIENCE).unwrap();
    let note = Long { text: [b'n'; 200] };
    sums.carrier.io().room = 50;
    assert_eq!(sums.note(&note), Ok(()));
    assert_eq!(sums.note(&note), Err(FunctionError::Full));
    assert_eq!(sums.add(&Pair { a: 1, b: 2 }, SHORT), Err(FunctionError::TimedOut { ran: Ran::Maybe }));
    sums.carrier.io().room = usize::MAX;
    assert_eq!(sums.add(&Pair { a: 3, b: 4 }, PATIENCE), Ok(7));
    drop(sums);
    assert_eq!(server.join().unwrap().0.notes, 1);
}

#[test]
fn what_is_no_server_of_contracts_is_no_server() {
    let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
    let (io, _silent) = line(10);
    let silent = Sums::connect(io, &mut into, &mut out, SHORT).err();
    let told = FunctionError::TimedOut { ran: Ran::Maybe };
    assert_eq!(silent, Some(OpenContractError::NoAnswer(told)));
    let (io, _) = line(10);
    let short = Sums::connect(io, &mut into[1..], &mut out, SHORT).err();
    assert_eq!(short, Some(OpenContractError::BufferTooShort { needed: Sums::STREAM_BUFFER }));
}

/// A server whose text goes on for ever, and one whose text is ours and whose hash is not.
#[test]
fn a_text_that_lies_ends() {
    let texts: [fn(usize) -> u8; 3] = [
        |_| b'x',
        |at| Sums::TEXT.as_bytes().get(at).copied().unwrap_or(b'\n'),
        |at| Sums::TEXT.as_bytes().get(at).copied().unwrap_or(0),
    ];
    for (case, text) in texts.into_iter().enumerate() {
        let (io, theirs) = line(1000);
        let liar = thread::spawn(move || {
            let mut raw = Raw::new(theirs);
            let mut asked = 0;
            raw.io.limit(PATIENCE);
            while let Ok(count @ 1..) = raw.io.read(&mut raw.came) {
                let mut buffer = raw.came[..count].to_vec();
                buffer.resize(100, 0);
                let mut decoder = StreamDecoder::new(&mut raw.came, Check::Whole).unwrap();
                decoder.push(&buffer[..count]);
                let frame = decoder.next_frame().expect("a whole frame at a time");
                let offset = u32::from_le_bytes(*frame.payload[8..].first_chunk().unwrap()) as usize;
                let (tag, sequence) = (frame.tag, frame.sequence);
                let piece: Vec<u8> = [7; 8].into_iter().chain((offset..offset + 20).map(text)).collect();
                raw.send(tag, sequence, &piece);
                asked += 1;
            }
            asked
        });
        let (mut into, mut out) = ([0; Sums::STREAM_BUFFER], [0; Sums::STREAM_BUFFER]);
        let error = Sums::connect(io, &mut into, &mut out, PATIENCE).err().unwrap();
        let asked = liar.join().unwrap();
        assert!(asked <= Sums::TEXT.len() / 20 + 3, "asked {asked} times");
        match case {
            0 => assert!(matches!(error, OpenContractError::Differs(Difference::Contract { .. }))),
            1 => assert!(matches!(error, OpenContractError::Differs(Difference::Function { .. }))),
            _ => assert_eq!(error, OpenContractError::DiffersSomewhere),
        }
    }
}
