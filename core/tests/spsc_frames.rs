//! Queues of frames against a model: any order of sends, batches, grants, receives, peeks, releases,
//! deaths and successions, at any place of the ring, positions wrapping past 2^32 included.
#![cfg(not(strait_loom))]

mod common;

use common::model::Model;
use common::seed::property;
use common::{Member, Region, TestPort};
use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{
    Channel, Consumer, ConsumerOptions, Delivery, Plan, Producer, Received, TryRecvError, TrySendError,
};

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
    Release,
    Flush,
    ProducerLeaves,
    ProducerDies,
    ConsumerLeaves,
    ConsumerDies,
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
        1 => Just(Op::Release),
        1 => Just(Op::Flush),
        1 => Just(Op::ProducerLeaves),
        1 => Just(Op::ProducerDies),
        1 => Just(Op::ConsumerLeaves),
        1 => Just(Op::ConsumerDies),
    ]
}

#[derive(Clone, Debug)]
struct Setup {
    capacity: u32,
    max_frame: u32,
    start: u32,
    every: u32,
    at_most_once: bool,
}

fn setup() -> impl Strategy<Value = Setup> {
    let place = prop_oneof![Just(0_u32), (0_u32..64).prop_map(|n| 0_u32.wrapping_sub(16 * n))];
    let every = prop::sample::select(vec![1, 2, 4, 64]);
    (6_u32..=8, 0_u32..=3, place, every, any::<bool>()).prop_map(
        |(bits, less, start, every, at_most_once)| {
            let capacity = 1_u32 << bits;
            let max_frame = (capacity / 2 - 16).saturating_sub(less * 7);
            Setup { capacity, max_frame, start, every, at_most_once }
        },
    )
}

struct Run {
    setup: Setup,
    region: Region,
    options: ConsumerOptions,
    producer: Member,
    consumer: Member,
    tx: Option<Producer<TestPort>>,
    rx: Option<Consumer<TestPort>>,
    model: Model,
    refusals: u32,
    most_used: u32,
    tag: u32,
}

fn payload(len: u32, tag: u32) -> Vec<u8> {
    (0..len).map(|i| (i ^ tag.wrapping_mul(31)) as u8).collect()
}

fn footprint(len: usize) -> u32 {
    16 + (len as u32).div_ceil(16) * 16
}

impl Run {
    fn new(setup: Setup) -> Self {
        let channels = [Channel::frames("q", setup.capacity, setup.max_frame)];
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
        let delivery = if setup.at_most_once { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        let options = ConsumerOptions::new().delivery(delivery).release_every(setup.every);
        let every = if setup.at_most_once { 1 } else { setup.every };
        let (producer, consumer) = (region.join(), region.join());
        Self {
            tx: Some(producer.producer("q").unwrap()),
            rx: Some(consumer.consumer_with("q", options).unwrap()),
            model: Model::new(setup.capacity, 16, every, setup.start, sequence),
            producer,
            consumer,
            region,
            options,
            setup,
            refusals: 0,
            most_used: 0,
            tag: 0,
        }
    }

    fn tx(&mut self) -> &mut Producer<TestPort> {
        self.tx.as_mut().unwrap()
    }

    fn rx(&mut self) -> &mut Consumer<TestPort> {
        self.rx.as_mut().unwrap()
    }

    /// What came of a send, held against the model.
    fn account(&mut self, result: Result<(), TrySendError>, tag: u32, bytes: &[u8], reserved: usize) {
        let too_large = reserved as u32 > self.setup.max_frame;
        match result {
            Ok(()) => {
                assert!(
                    !too_large && self.model.may_accept(footprint(reserved), 16),
                    "accepted without space"
                );
                self.model.sent(tag, bytes, footprint(reserved), footprint(bytes.len()));
                self.most_used = self.most_used.max(self.model.used().1);
            }
            Err(TrySendError::TooLarge) => assert!(too_large),
            Err(TrySendError::Full) => {
                assert!(!too_large && self.model.may_refuse(footprint(reserved), 16), "refused with space");
                self.model.refused();
                self.refusals += 1;
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    fn send(&mut self, len: u32) {
        self.tag += 1;
        let (tag, bytes) = (self.tag, payload(len, self.tag));
        let result = self.tx().try_send(tag, &bytes);
        self.account(result, tag, &bytes, bytes.len());
    }

    fn send_batch(&mut self, lens: &[u32]) {
        let frames = lens.iter().map(|&len| {
            self.tag += 1;
            (self.tag, payload(len, self.tag))
        });
        let frames: Vec<_> = frames.collect();
        let result = self.tx().try_send_batch(frames.iter().map(|(tag, bytes)| (*tag, &bytes[..])));
        let count = *result.as_ref().unwrap_or(&0);
        for (tag, bytes) in &frames[..count] {
            self.account(Ok(()), *tag, bytes, bytes.len());
        }
        match (result, frames.get(count)) {
            (Err(error), Some((tag, bytes))) => self.account(Err(error), *tag, bytes, bytes.len()),
            (Err(error), None) => panic!("{error:?} for an empty batch"),
            (Ok(_), Some((_, bytes))) => {
                let fits = bytes.len() as u32 <= self.setup.max_frame;
                assert!(!fits || self.model.may_refuse(footprint(bytes.len()), 16), "cut short with space");
                if fits {
                    self.model.refused();
                    self.refusals += 1;
                }
            }
            (Ok(_), None) => {}
        }
    }

    fn grant(&mut self, len: u32, commit: Option<u32>) {
        self.tag += 1;
        let (tag, bytes) = (self.tag, payload(len, self.tag));
        let half = bytes.len() / 2;
        let reserved = match self.tx().reserve(bytes.len()) {
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
        let want = self.model.take(now);
        assert_eq!((got.tag, got.sequence, got.len), (want.tag, want.sequence, want.payload.len()));
        assert_eq!(bytes, want.payload);
    }

    fn recv(&mut self, buffer: &mut [u8]) {
        let now = self.setup.at_most_once;
        match self.rx().try_recv(buffer) {
            Ok(got) => self.check_received(got, &buffer[..got.len], now),
            Err(TryRecvError::Empty) => {
                assert!(self.model.waiting.is_empty(), "empty with messages waiting");
                self.model.flush();
            }
            Err(TryRecvError::TooSmall { needed }) => {
                self.model.release();
                let want = self.model.waiting.front().unwrap();
                assert_eq!(needed, want.payload.len());
                assert!(needed > buffer.len());
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    fn recv_owned(&mut self) {
        let now = self.setup.at_most_once;
        match self.rx().try_recv_frame::<40>() {
            Ok(frame) => {
                let got =
                    Received { tag: frame.tag(), sequence: frame.sequence(), len: frame.payload().len() };
                self.check_received(got, frame.payload(), now);
            }
            Err(TryRecvError::Empty) => {
                assert!(self.model.waiting.is_empty());
                self.model.flush();
            }
            Err(TryRecvError::TooSmall { needed }) => {
                self.model.release();
                assert_eq!(needed, self.model.waiting.front().unwrap().payload.len());
                assert!(needed > 40);
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    fn peek(&mut self, release: bool) {
        let Ok(peek) = self.rx().peek() else {
            assert!(self.model.waiting.is_empty());
            return self.model.flush();
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
        self.model.release();
        if release {
            self.check_received(got, &bytes, true);
        } else {
            let want = self.model.waiting.front().unwrap();
            assert_eq!((got.tag, got.sequence, &bytes), (want.tag, want.sequence, &want.payload));
        }
    }

    fn recv_batch(&mut self, max: usize) {
        let mut got = Vec::new();
        let result = self.rx().recv_batch(max, |peek| {
            let mut bytes = vec![0; peek.info().len];
            peek.copy_from(0, &mut bytes);
            got.push((peek.info(), bytes));
        });
        let available = self.model.waiting.len();
        for (info, bytes) in &got {
            self.model.release();
            self.check_received(*info, bytes, true);
        }
        match result {
            Ok(count) => assert_eq!((count, got.len()), (max.min(available), count)),
            Err(error) => assert_eq!((error, available, got.len()), (TryRecvError::Empty, 0, 0)),
        }
        if got.len() < max {
            self.model.flush();
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Send(len) => self.send(*len),
            Op::Batch(lens) => self.send_batch(lens),
            Op::Grant(len, commit) => self.grant(*len, *commit),
            Op::Recv => self.recv(&mut [0; LONGEST as usize]),
            Op::RecvTooSmall => {
                let shortest = self.model.waiting.front().map_or(0, |message| message.payload.len());
                self.recv(&mut vec![0; shortest.saturating_sub(1)]);
            }
            Op::RecvOwned => self.recv_owned(),
            Op::Peek(release) => self.peek(*release),
            Op::RecvBatch(max) => self.recv_batch(*max),
            Op::Release => {
                self.rx().release();
                self.model.release();
            }
            Op::Flush => {
                self.rx().flush();
                self.model.flush();
            }
            Op::ProducerLeaves => {
                self.tx = None;
                self.tx = Some(self.producer.producer("q").unwrap());
                self.model.new_producer();
            }
            Op::ProducerDies => {
                let dead = std::mem::replace(&mut self.producer, self.region.join());
                dead.die(self.tx.take());
                self.tx = Some(self.producer.producer("q").unwrap());
                self.model.new_producer();
            }
            Op::ConsumerLeaves => {
                self.rx = None;
                self.rx = Some(self.consumer.consumer_with("q", self.options).unwrap());
                self.model.flush();
                self.model.new_consumer();
            }
            Op::ConsumerDies => {
                let dead = std::mem::replace(&mut self.consumer, self.region.join());
                dead.die(self.rx.take());
                let head = self.region.peek(self.region.entry("q").block_b + at::HEAD);
                self.model.consumer_died(head);
                self.model.new_consumer();
                self.rx = Some(self.consumer.consumer_with("q", self.options).unwrap());
            }
        }
        self.check();
    }

    /// What both sides say of the queue.
    fn check(&mut self) {
        let (most, fewest) = self.model.used();
        let waiting = self.model.waiting.len() as u32;
        let (sequence, refusals, most_used) = (self.model.sequence, self.refusals, self.most_used);
        let capacity = self.setup.capacity;
        let rx = self.rx();
        assert_eq!((rx.len(), rx.is_empty(), rx.fault()), (waiting, waiting == 0, None));
        let tx = self.tx();
        let len = tx.len();
        assert!((fewest..=most).contains(&len), "{len} bytes taken, not {fewest} to {most}");
        assert_eq!((tx.is_empty(), tx.fault(), tx.next_sequence()), (len == 0, None, sequence));
        assert_eq!(tx.refused(), refusals);
        assert!((most_used..=capacity).contains(&tx.high_water()));
    }
}

#[test]
fn frames_keep_to_the_model() {
    let mut runner = proptest::test_runner::TestRunner::new(property(1500));
    let cases = (setup(), prop::collection::vec(op(), 1..120));
    runner
        .run(&cases, |(setup, ops)| {
            let mut run = Run::new(setup);
            run.check();
            ops.iter().for_each(|op| run.apply(op));
            // All that is left comes out.
            while !run.model.waiting.is_empty() {
                run.recv(&mut [0; LONGEST as usize]);
            }
            run.apply(&Op::Recv);
            assert!(run.region.is_intact());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
