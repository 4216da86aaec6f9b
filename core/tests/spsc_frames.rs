//! Queues of frames against a model: any order of sends, batches, grants, receives, peeks, releases,
//! deaths and successions, at any place of the ring, positions wrapping past 2^32 included.
#![cfg(not(strait_loom))]

mod common;

use common::queue_run::{Accounts, Queue, Releases, Step, releases, step};
use common::seed::property;
use common::{Member, Region, TestPort, queue_run};
use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{Channel, Consumer, ConsumerOptions, Plan, Producer, Received, TryRecvError, TrySendError};

#[derive(Clone, Debug)]
enum Op {
    Send(u32),
    Batch(Vec<u32>),
    /// Reserve so much, write it in two parts, and commit all, a part, or nothing.
    Grant(u32, Option<u32>),
    Recv,
    RecvTooSmall,
    RecvOwned,
    Peek(bool),
    RecvBatch(usize),
    Any(Step),
}

/// The largest payload that is tried, a little more than the largest channel takes.
const LONGEST: u32 = 130;

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..LONGEST).prop_map(Op::Send),
        2 => prop::collection::vec(0..LONGEST, 0..5).prop_map(Op::Batch),
        2 => (0..LONGEST, prop::option::of(0..LONGEST)).prop_map(|(len, commit)| Op::Grant(len, commit)),
        6 => Just(Op::Recv),
        1 => Just(Op::RecvTooSmall),
        2 => Just(Op::RecvOwned),
        2 => any::<bool>().prop_map(Op::Peek),
        1 => (0_usize..5).prop_map(Op::RecvBatch),
        6 => step().prop_map(Op::Any),
    ]
}

#[derive(Clone, Debug)]
struct Setup {
    capacity: u32,
    max_len: u32,
    start: u32,
    releases: Releases,
}

fn setup() -> impl Strategy<Value = Setup> {
    let place = prop_oneof![Just(0_u32), (0_u32..64).prop_map(|n| 0_u32.wrapping_sub(16 * n))];
    (6_u32..=8, 0_u32..=3, place, releases()).prop_map(|(bits, less, start, releases)| {
        let capacity = 1_u32 << bits;
        let max_len = (capacity / 2 - 16).saturating_sub(less * 7);
        Setup { capacity, max_len, start, releases }
    })
}

/// Queues of frames; a unit is a byte.
struct Frames;

impl Queue for Frames {
    type Tx = Producer<TestPort>;
    type Rx = Consumer<TestPort>;
    const SPARE: u32 = 16;

    fn tx(member: &Member) -> Self::Tx {
        member.producer("q").unwrap()
    }

    fn rx(member: &Member, options: ConsumerOptions) -> Self::Rx {
        member.consumer_with("q", options).unwrap()
    }

    fn release(rx: &mut Self::Rx) {
        rx.release();
    }

    fn flush(rx: &mut Self::Rx) {
        rx.flush();
    }

    fn accounts(tx: &mut Self::Tx, rx: &Self::Rx) -> Accounts {
        Accounts {
            waiting: (rx.len(), rx.is_empty()),
            used: (tx.len(), tx.is_empty()),
            high_water: tx.high_water(),
            next_sequence: tx.next_sequence(),
            refused: tx.refused(),
            faults: [tx.fault(), rx.fault()],
        }
    }
}

struct Run {
    queue: queue_run::Run<Frames>,
    max_len: u32,
}

fn payload(len: u32, tag: u32) -> Vec<u8> {
    (0..len).map(|i| (i ^ tag.wrapping_mul(31)) as u8).collect()
}

fn footprint(len: usize) -> u32 {
    16 + (len as u32).div_ceil(16) * 16
}

impl Run {
    fn new(setup: &Setup) -> Self {
        let channels = [Channel::frames("q", setup.capacity, setup.max_len)];
        let region = Region::new(&Plan::new(&channels).line(4).participants(3));
        let entry = region.entry("q");
        let sequence = setup.start.wrapping_mul(3);
        for (offset, value) in [
            (entry.block_a + at::MARK, setup.start),
            (entry.block_a + at::MARK_SEQUENCE, sequence),
            (entry.block_b + at::HEAD, setup.start),
            (entry.block_b + at::HEAD_SEQUENCE, sequence),
        ] {
            region.poke(offset, value);
        }
        let queue = queue_run::Run::new(region, &setup.releases, 16, setup.start, sequence);
        Self { queue, max_len: setup.max_len }
    }

    /// What came of a send, held against the model.
    fn account(&mut self, result: Result<(), TrySendError>, tag: u32, bytes: &[u8], reserved: usize) {
        let too_large = reserved as u32 > self.max_len;
        match result {
            Ok(()) => {
                assert!(!too_large);
                self.queue.sent(tag, bytes, footprint(reserved), footprint(bytes.len()));
            }
            Err(TrySendError::TooLarge) => assert!(too_large),
            Err(TrySendError::Full) => {
                assert!(!too_large);
                self.queue.refused(footprint(reserved));
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    /// A new message of this length.
    fn message(&mut self, len: u32) -> (u32, Vec<u8>) {
        let tag = self.queue.next_tag();
        (tag, payload(len, tag))
    }

    fn send(&mut self, len: u32) {
        let (tag, bytes) = self.message(len);
        let result = self.queue.tx().try_send(tag, &bytes);
        self.account(result, tag, &bytes, bytes.len());
    }

    fn send_batch(&mut self, lens: &[u32]) {
        let frames: Vec<_> = lens.iter().map(|&len| self.message(len)).collect();
        let result = self.queue.tx().try_send_batch(frames.iter().map(|(tag, bytes)| (*tag, &bytes[..])));
        let count = *result.as_ref().unwrap_or(&0);
        for (tag, bytes) in &frames[..count] {
            self.account(Ok(()), *tag, bytes, bytes.len());
        }
        match (result, frames.get(count)) {
            (Err(error), Some((tag, bytes))) => self.account(Err(error), *tag, bytes, bytes.len()),
            (Err(error), None) => panic!("{error:?} for an empty batch"),
            (Ok(_), Some((_, bytes))) => {
                if bytes.len() as u32 <= self.max_len {
                    self.queue.refused(footprint(bytes.len()));
                }
            }
            (Ok(_), None) => {}
        }
    }

    fn grant(&mut self, len: u32, commit: Option<u32>) {
        let (tag, bytes) = self.message(len);
        let half = bytes.len() / 2;
        let reserved = match self.queue.tx().reserve(bytes.len()) {
            Ok(mut grant) => {
                assert_eq!((grant.len(), grant.is_empty()), (bytes.len(), bytes.is_empty()));
                grant.set_tag(tag);
                assert_eq!(grant.write(half, &bytes[half..]), bytes.len() - half);
                assert_eq!(grant.write(0, &bytes[..half]), half);
                assert_eq!(grant.write(bytes.len(), b"outside"), 0);
                assert_eq!(grant.write(usize::MAX, b"outside"), 0);
                assert_eq!(grant.as_mut_slice(), None, "peers are not trusted here");
                match commit {
                    Some(part) if part < len => grant.commit_len(part as usize),
                    Some(_) => grant.commit(),
                    None => return,
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        let sent = &bytes[..commit.unwrap_or(len).min(len) as usize];
        self.account(reserved, tag, sent, bytes.len());
    }

    fn check_received(&mut self, got: Received, bytes: &[u8], now: bool) {
        let want = self.queue.model.take(now);
        assert_eq!((got.tag, got.sequence, got.len), (want.tag, want.sequence, want.payload.len()));
        assert_eq!(bytes, want.payload);
    }

    fn recv(&mut self, buffer: &mut [u8]) {
        let now = self.queue.at_most_once;
        match self.queue.rx().try_recv(buffer) {
            Ok(got) => self.check_received(got, &buffer[..got.len], now),
            Err(TryRecvError::Empty) => {
                assert!(self.queue.model.waiting.is_empty(), "empty with messages waiting");
                self.queue.model.flush();
            }
            Err(TryRecvError::TooSmall { needed }) => {
                self.queue.model.release();
                let want = self.queue.model.waiting.front().unwrap();
                assert_eq!(needed, want.payload.len());
                assert!(needed > buffer.len());
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    fn recv_owned(&mut self) {
        let now = self.queue.at_most_once;
        match self.queue.rx().try_recv_frame::<40>() {
            Ok(frame) => {
                let got =
                    Received { tag: frame.tag(), sequence: frame.sequence(), len: frame.payload().len() };
                self.check_received(got, frame.payload(), now);
            }
            Err(TryRecvError::Empty) => {
                assert!(self.queue.model.waiting.is_empty());
                self.queue.model.flush();
            }
            Err(TryRecvError::TooSmall { needed }) => {
                self.queue.model.release();
                assert_eq!(needed, self.queue.model.waiting.front().unwrap().payload.len());
                assert!(needed > 40);
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    fn peek(&mut self, release: bool) {
        let Ok(peek) = self.queue.rx().peek() else {
            assert!(self.queue.model.waiting.is_empty());
            return self.queue.model.flush();
        };
        let got = peek.info();
        let mut bytes = vec![0; got.len];
        assert_eq!(peek.copy_from(0, &mut bytes), got.len);
        let mut rest = vec![0; got.len];
        assert_eq!(peek.copy_from(got.len / 3, &mut rest), got.len - got.len / 3);
        assert_eq!(rest[..got.len - got.len / 3], bytes[got.len / 3..]);
        assert_eq!((peek.copy_from(got.len, &mut rest), peek.copy_from(usize::MAX, &mut rest)), (0, 0));
        assert_eq!(peek.as_slice(), None, "peers are not trusted here");
        if release {
            peek.release();
        }
        self.queue.model.release();
        if release {
            self.check_received(got, &bytes, true);
        } else {
            let want = self.queue.model.waiting.front().unwrap();
            assert_eq!((got.tag, got.sequence, &bytes), (want.tag, want.sequence, &want.payload));
        }
    }

    fn recv_batch(&mut self, max: usize) {
        let mut got = Vec::new();
        let result = self.queue.rx().recv_batch(max, |peek| {
            let mut bytes = vec![0; peek.info().len];
            peek.copy_from(0, &mut bytes);
            got.push((peek.info(), bytes));
        });
        let available = self.queue.model.waiting.len();
        for (info, bytes) in &got {
            self.queue.model.release();
            self.check_received(*info, bytes, true);
        }
        match result {
            Ok(count) => assert_eq!((count, got.len()), (max.min(available), count)),
            Err(error) => assert_eq!((error, available, got.len()), (TryRecvError::Empty, 0, 0)),
        }
        if got.len() < max {
            self.queue.model.flush();
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Send(len) => self.send(*len),
            Op::Batch(lens) => self.send_batch(lens),
            Op::Grant(len, commit) => self.grant(*len, *commit),
            Op::Recv => self.recv(&mut [0; LONGEST as usize]),
            Op::RecvTooSmall => {
                let shortest = self.queue.model.waiting.front().map_or(0, |message| message.payload.len());
                self.recv(&mut vec![0; shortest.saturating_sub(1)]);
            }
            Op::RecvOwned => self.recv_owned(),
            Op::Peek(release) => self.peek(*release),
            Op::RecvBatch(max) => self.recv_batch(*max),
            Op::Any(step) => self.queue.apply(step),
        }
        self.queue.check();
    }
}

#[test]
fn frames_keep_to_the_model() {
    let mut runner = proptest::test_runner::TestRunner::new(property(1500));
    let cases = (setup(), prop::collection::vec(op(), 1..120));
    runner
        .run(&cases, |(setup, ops)| {
            let mut run = Run::new(&setup);
            run.queue.check();
            ops.iter().for_each(|op| run.apply(op));
            // All that is left comes out.
            while !run.queue.model.waiting.is_empty() {
                run.recv(&mut [0; LONGEST as usize]);
            }
            run.apply(&Op::Recv);
            assert!(run.queue.region.is_intact());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
