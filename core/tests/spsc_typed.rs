//! Queues of values against the model, slots and compact alike, positions wrapping past 2^32 included.
#![cfg(not(strait_loom))]

mod common;

use common::model::Model;
use common::seed::property;
use common::{Member, Region, TestPort};
use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{
    Channel, ConsumerOptions, Delivery, Frame, Plan, TryRecvError, TrySendError, TypedConsumer, TypedProducer,
};

#[derive(Clone, Debug)]
enum Op {
    Send,
    Batch(usize),
    Recv,
    RecvBatch(usize),
    Release,
    Flush,
    ProducerLeaves,
    ProducerDies,
    ConsumerLeaves,
    ConsumerDies,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Send),
        2 => (0_usize..9).prop_map(Op::Batch),
        6 => Just(Op::Recv),
        2 => (0_usize..9).prop_map(Op::RecvBatch),
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
    compact: bool,
    capacity: u32,
    line: u32,
    start: u32,
    every: u32,
    at_most_once: bool,
}

fn setup() -> impl Strategy<Value = Setup> {
    let place = prop_oneof![Just(0_u32), (1_u32..40).prop_map(|n| 0_u32.wrapping_sub(n)), any::<u32>()];
    let line = prop::sample::select(vec![4, 64, 128]);
    let every = prop::sample::select(vec![1, 2, 4, 64]);
    (any::<bool>(), 0_u32..=4, line, place, every, any::<bool>()).prop_map(
        |(compact, bits, line, start, every, at_most_once)| Setup {
            compact,
            capacity: 1 << bits,
            line,
            start,
            every,
            at_most_once,
        },
    )
}

/// A value that is told by its number.
trait Numbered: Frame + PartialEq + std::fmt::Debug {
    fn numbered(number: u32) -> Self;
}

impl Numbered for u8 {
    fn numbered(number: u32) -> Self {
        number as u8
    }
}

impl Numbered for [u32; 3] {
    fn numbered(number: u32) -> Self {
        [number, !number, number.wrapping_mul(7)]
    }
}

impl Numbered for [u64; 9] {
    fn numbered(number: u32) -> Self {
        std::array::from_fn(|i| u64::from(number) << i)
    }
}

struct Run<T: Numbered> {
    setup: Setup,
    region: Region,
    options: ConsumerOptions,
    producer: Member,
    consumer: Member,
    tx: Option<TypedProducer<T, TestPort>>,
    rx: Option<TypedConsumer<T, TestPort>>,
    model: Model,
    refusals: u32,
    most_used: u32,
    tag: u32,
}

impl<T: Numbered> Run<T> {
    fn new(setup: Setup) -> Self {
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
        let delivery = if setup.at_most_once { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        let options = ConsumerOptions::new().delivery(delivery).release_every(setup.every);
        let every = if setup.at_most_once { 1 } else { setup.every };
        let (producer, consumer) = (region.join(), region.join());
        Self {
            tx: Some(producer.typed_producer("q").unwrap()),
            rx: Some(consumer.typed_consumer_with("q", options).unwrap()),
            model: Model::new(setup.capacity, 1, every, start, start),
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

    fn tx(&mut self) -> &mut TypedProducer<T, TestPort> {
        self.tx.as_mut().unwrap()
    }

    fn rx(&mut self) -> &mut TypedConsumer<T, TestPort> {
        self.rx.as_mut().unwrap()
    }

    fn sent(&mut self, tag: u32) {
        assert!(self.model.may_accept(1, 0), "accepted without space");
        self.model.sent(tag, &[], 1, 1);
        self.most_used = self.most_used.max(self.model.used().1);
    }

    fn refused(&mut self, error: TrySendError) {
        assert_eq!(error, TrySendError::Full);
        assert!(self.model.may_refuse(1, 0), "refused with space");
        self.model.refused();
        self.refusals += 1;
    }

    fn send(&mut self) {
        self.tag += 1;
        let tag = self.tag;
        match self.tx().try_send(&T::numbered(tag)) {
            Ok(()) => self.sent(tag),
            Err(error) => self.refused(error),
        }
    }

    fn send_batch(&mut self, count: usize) {
        let first = self.tag + 1;
        self.tag += count as u32;
        match self.tx().try_send_batch((0..count as u32).map(|i| T::numbered(first + i))) {
            Ok(sent) => {
                (0..sent as u32).for_each(|i| self.sent(first + i));
                if sent < count {
                    self.refused(TrySendError::Full);
                }
            }
            Err(error) => self.refused(error),
        }
    }

    fn check_received(&mut self, value: T) {
        let want = self.model.take(self.setup.at_most_once);
        assert_eq!(value, T::numbered(want.tag));
        assert_eq!(self.rx().sequence(), want.sequence);
    }

    fn recv(&mut self) {
        match self.rx().try_recv() {
            Ok(value) => self.check_received(value),
            Err(error) => {
                assert_eq!((error, self.model.waiting.len()), (TryRecvError::Empty, 0));
                self.model.flush();
            }
        }
    }

    fn recv_batch(&mut self, max: usize) {
        let mut got = Vec::new();
        let result = self.rx().recv_batch(max, |value| got.push(value));
        let available = self.model.waiting.len();
        for value in &got {
            assert_eq!(*value, T::numbered(self.model.take_in_batch(self.setup.at_most_once).tag));
        }
        match result {
            Ok(count) => assert_eq!((count, got.len()), (max.min(available), count)),
            Err(error) => assert_eq!((error, available, got.len()), (TryRecvError::Empty, 0, 0)),
        }
        if got.len() < max {
            self.model.flush();
        }
        if !got.is_empty() || max == 0 {
            self.model.release();
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Send => self.send(),
            Op::Batch(count) => self.send_batch(*count),
            Op::Recv => self.recv(),
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
                self.tx = Some(self.producer.typed_producer("q").unwrap());
                self.model.new_producer();
            }
            Op::ProducerDies => {
                let dead = std::mem::replace(&mut self.producer, self.region.join());
                dead.die(self.tx.take());
                self.tx = Some(self.producer.typed_producer("q").unwrap());
                self.model.new_producer();
            }
            Op::ConsumerLeaves => {
                self.rx = None;
                self.rx = Some(self.consumer.typed_consumer_with("q", self.options).unwrap());
                self.model.flush();
                self.model.new_consumer();
            }
            Op::ConsumerDies => {
                let dead = std::mem::replace(&mut self.consumer, self.region.join());
                dead.die(self.rx.take());
                let head = self.region.peek(self.region.entry("q").block_b + at::HEAD);
                self.model.consumer_died(head);
                self.model.new_consumer();
                self.rx = Some(self.consumer.typed_consumer_with("q", self.options).unwrap());
            }
        }
        self.check();
    }

    /// What both sides say of the queue.
    fn check(&mut self) {
        let (most, fewest) = self.model.used();
        let waiting = self.model.waiting.len() as u32;
        let (refusals, most_used, capacity) = (self.refusals, self.most_used, self.setup.capacity);
        let rx = self.rx();
        assert_eq!((rx.len(), rx.is_empty(), rx.fault()), (waiting, waiting == 0, None));
        let tx = self.tx();
        let len = tx.len();
        assert!((fewest..=most).contains(&len), "{len} slots taken, not {fewest} to {most}");
        assert_eq!((tx.is_empty(), tx.fault(), tx.refused()), (len == 0, None, refusals));
        assert!((most_used..=capacity).contains(&tx.high_water()));
    }
}

fn keeps_to_the_model<T: Numbered>(cases: u32) {
    let mut runner = proptest::test_runner::TestRunner::new(property(cases));
    runner
        .run(&(setup(), prop::collection::vec(op(), 1..100)), |(setup, ops)| {
            let mut run = Run::<T>::new(setup);
            run.check();
            ops.iter().for_each(|op| run.apply(op));
            while !run.model.waiting.is_empty() {
                run.recv();
            }
            run.apply(&Op::Recv);
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
