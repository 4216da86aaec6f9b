//! Queues of frames against a model: any order of sends, batches, grants, receives, peeks, releases,
//! deaths and successions, at any place of the ring, positions wrapping past 2^32 included.

use crate::common::calls::{self, footprint, payload};
use crate::common::queue_run::{Accounts, Queue, Releases, Step, releases, step};
use crate::common::seed::property;
use crate::common::{Member, Region, TestPort, queue_run};
use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{Channel, Consumer, ConsumerOptions, Plan, Producer, TrySendError};

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
        if let Some(reserved) = calls::grant(self.queue.tx(), tag, &bytes, commit) {
            let sent = &bytes[..commit.unwrap_or(len).min(len) as usize];
            self.account(reserved, tag, sent, bytes.len());
        }
    }

    fn recv(&mut self, buffer: &mut [u8]) {
        let now = self.queue.at_most_once;
        let (rx, model) = self.queue.rx_and_model();
        calls::recv(rx, model, buffer, now);
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
            Op::RecvOwned => {
                let now = self.queue.at_most_once;
                let (rx, model) = self.queue.rx_and_model();
                calls::recv_owned(rx, model, now);
            }
            Op::Peek(release) => {
                let (rx, model) = self.queue.rx_and_model();
                calls::peek(rx, model, *release);
            }
            Op::RecvBatch(max) => {
                let (rx, model) = self.queue.rx_and_model();
                calls::recv_batch(rx, model, *max);
            }
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
