//! Queues of values against the model, slots and compact alike, positions wrapping past 2^32 included.

use std::marker::PhantomData;

use crate::common::calls::{self, numbered};
use crate::common::queue_run::{Accounts, Queue, Releases, Run, Step, releases, step};
use crate::common::seed::property;
use crate::common::{Member, Region, TestPort};
use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{Channel, ConsumerOptions, Message, Plan, TrySendError, TypedConsumer, TypedProducer};

#[derive(Clone, Debug)]
enum Op {
    Send,
    Batch(usize),
    Recv,
    RecvBatch(usize),
    Any(Step),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Send),
        2 => (0_usize..9).prop_map(Op::Batch),
        6 => Just(Op::Recv),
        2 => (0_usize..9).prop_map(Op::RecvBatch),
        6 => step().prop_map(Op::Any),
    ]
}

#[derive(Clone, Debug)]
struct Setup {
    compact: bool,
    capacity: u32,
    line: u32,
    start: u32,
    releases: Releases,
}

fn setup() -> impl Strategy<Value = Setup> {
    let place = prop_oneof![Just(0_u32), (1_u32..40).prop_map(|n| 0_u32.wrapping_sub(n)), any::<u32>()];
    let line = prop::sample::select(vec![4, 64, 128]);
    (any::<bool>(), 0_u32..=4, line, place, releases()).prop_map(|(compact, bits, line, start, releases)| {
        Setup { compact, capacity: 1 << bits, line, start, releases }
    })
}

/// A value that can be compared with what is expected.
trait Numbered: Message + PartialEq + std::fmt::Debug {}

impl<T: Message + PartialEq + std::fmt::Debug> Numbered for T {}

/// Queues of values; a unit is a slot.
struct Values<T>(PhantomData<T>);

impl<T: Numbered> Queue for Values<T> {
    type Tx = TypedProducer<T, TestPort>;
    type Rx = TypedConsumer<T, TestPort>;
    const SPARE: u32 = 0;

    fn tx(member: &Member) -> Self::Tx {
        member.typed_producer("q").unwrap()
    }

    fn rx(member: &Member, options: ConsumerOptions) -> Self::Rx {
        member.typed_consumer_with("q", options).unwrap()
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

fn new_run<T: Numbered>(setup: &Setup) -> Run<Values<T>> {
    let channels = [if setup.compact {
        Channel::compact::<T>("q", setup.capacity)
    } else {
        Channel::slots::<T>("q", setup.capacity)
    }];
    let region = Region::new(&Plan::new(&channels).line(setup.line).participants(3));
    let (entry, start) = (region.entry("q"), setup.start);
    region.poke(entry.block_a + at::MARK, start);
    region.poke(entry.block_b + at::HEAD, start);
    // Every slot was used once, as it is at that position; the very first lap has zeros.
    for back in (1..=setup.capacity).filter(|_| !setup.compact && start != 0) {
        let position = start.wrapping_sub(back);
        let slot = entry.data + (position & (setup.capacity - 1)) * entry.stride;
        region.poke(slot + entry.stride - 4, position.wrapping_add(1));
    }
    Run::new(region, &setup.releases, 1, start, start)
}

impl<T: Numbered> Run<Values<T>> {
    fn refused_with(&mut self, error: TrySendError) {
        assert_eq!(error, TrySendError::Full);
        self.refused(1);
    }

    fn send(&mut self) {
        let tag = self.next_tag();
        match self.tx().try_send(&numbered::<T>(tag)) {
            Ok(()) => self.sent(tag, &[], 1, 1),
            Err(error) => self.refused_with(error),
        }
    }

    fn send_batch(&mut self, count: usize) {
        let tags: Vec<u32> = (0..count).map(|_| self.next_tag()).collect();
        match self.tx().try_send_batch(tags.iter().map(|&tag| numbered::<T>(tag))) {
            Ok(sent) => {
                tags[..sent].iter().for_each(|&tag| self.sent(tag, &[], 1, 1));
                if sent < count {
                    self.refused(1);
                }
            }
            Err(error) => self.refused_with(error),
        }
    }

    fn recv(&mut self) {
        let now = self.at_most_once;
        let (rx, model) = self.rx_and_model();
        calls::recv_value(rx, model, now);
    }

    fn perform(&mut self, op: &Op) {
        match op {
            Op::Send => self.send(),
            Op::Batch(count) => self.send_batch(*count),
            Op::Recv => self.recv(),
            Op::RecvBatch(max) => {
                let (rx, model) = self.rx_and_model();
                calls::recv_values(rx, model, *max);
            }
            Op::Any(step) => self.apply(step),
        }
        self.check();
    }
}

fn keeps_to_the_model<T: Numbered>(cases: u32) {
    let mut runner = proptest::test_runner::TestRunner::new(property(cases));
    runner
        .run(&(setup(), prop::collection::vec(op(), 1..100)), |(setup, ops)| {
            let mut run = new_run::<T>(&setup);
            run.check();
            ops.iter().for_each(|op| run.perform(op));
            while !run.model.waiting.is_empty() {
                run.recv();
            }
            run.perform(&Op::Recv);
            assert!(run.region.is_intact());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn bytes_keep_to_the_model() {
    keeps_to_the_model::<u8>(800);
}

#[test]
fn small_values_keep_to_the_model() {
    keeps_to_the_model::<[u32; 3]>(800);
}

#[test]
fn values_longer_than_a_line_keep_to_the_model() {
    keeps_to_the_model::<[u64; 9]>(500);
}
