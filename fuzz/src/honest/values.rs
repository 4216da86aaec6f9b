//! Queues of values, published in the slot and by index.

use strait_core::ground::entry::at;
use strait_core::{Channel, Message, Plan, TrySendError, TypedConsumer, TypedProducer};

use super::{MOST, Receiving, start};
use crate::common::calls::{self, numbered};
use crate::common::model::Model;
use crate::input::Input;
use crate::world::{FuzzPort, Member, Region};

struct Run<'r, T: Message> {
    region: &'r Region,
    receiving: Receiving,
    capacity: u32,
    producer: Member<'r>,
    consumer: Member<'r>,
    tx: Option<TypedProducer<T, FuzzPort<'r>>>,
    rx: Option<TypedConsumer<T, FuzzPort<'r>>>,
    model: Model,
    refusals: u32,
    most_used: u32,
    tag: u32,
}

/// One run.
pub(super) fn run<T: Message + PartialEq + std::fmt::Debug>(input: &mut Input<'_>) {
    let receiving = Receiving::read(input);
    let compact = input.flag();
    let capacity = 1 << input.below(5);
    let start = start(input, 1);
    let channel =
        if compact { Channel::compact::<T>("q", capacity) } else { Channel::slots::<T>("q", capacity) };
    let line = [4, 64, 128][input.below(3)];
    let region = Region::new(&Plan::new(&[channel]).line(line).participants(3));
    let entry = region.entry("q");
    region.poke(entry.block_a + at::MARK, start);
    region.poke(entry.block_b + at::HEAD, start);
    // Every slot was used once, as it is at that position; the very first lap has zeros.
    for back in (1..=capacity).filter(|_| !compact && start != 0) {
        let position = start.wrapping_sub(back);
        let slot = entry.data + (position & (capacity - 1)) * entry.stride;
        region.poke(slot + entry.stride - 4, position.wrapping_add(1));
    }
    let (producer, consumer) = (region.join(), region.join());
    let mut run = Run::<T> {
        tx: Some(producer.typed_producer("q").expect("the role is free")),
        rx: Some(consumer.typed_consumer_with("q", receiving.options).expect("the role is free")),
        model: Model::new(capacity, 1, receiving.every, start, start),
        region: &region,
        receiving,
        capacity,
        producer,
        consumer,
        refusals: 0,
        most_used: 0,
        tag: 0,
    };
    run.check();
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        run.apply(input);
    }
    // All that is left comes out.
    while !run.model.waiting.is_empty() {
        run.recv();
    }
    run.recv();
    run.check();
}

impl<'r, T: Message + PartialEq + std::fmt::Debug> Run<'r, T> {
    fn tx(&mut self) -> &mut TypedProducer<T, FuzzPort<'r>> {
        self.tx.as_mut().expect("always there")
    }

    fn rx(&mut self) -> &mut TypedConsumer<T, FuzzPort<'r>> {
        self.rx.as_mut().expect("always there")
    }

    fn rx_and_model(&mut self) -> (&mut TypedConsumer<T, FuzzPort<'r>>, &mut Model) {
        (self.rx.as_mut().expect("always there"), &mut self.model)
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
        match self.tx().try_send(&numbered::<T>(tag)) {
            Ok(()) => self.sent(tag),
            Err(error) => self.refused(error),
        }
    }

    fn send_batch(&mut self, count: usize) {
        let first = self.tag + 1;
        self.tag += count as u32;
        match self.tx().try_send_batch((0..count as u32).map(|i| numbered::<T>(first + i))) {
            Ok(sent) => {
                (0..sent as u32).for_each(|i| self.sent(first + i));
                if sent < count {
                    self.refused(TrySendError::Full);
                }
            }
            Err(error) => self.refused(error),
        }
    }

    fn recv(&mut self) {
        let now = self.receiving.at_most_once;
        let (rx, model) = self.rx_and_model();
        calls::recv_value(rx, model, now);
    }

    fn apply(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..=3 => self.send(),
            4 | 5 => self.send_batch(input.below(9)),
            6..=9 => self.recv(),
            10 => {
                let (rx, model) = self.rx_and_model();
                calls::recv_values(rx, model, input.below(9));
            }
            11 => {
                self.rx().release();
                self.model.release();
            }
            12 => {
                self.rx().flush();
                self.model.flush();
            }
            13 => self.producer_ends(input.flag()),
            14 => self.consumer_ends(input.flag()),
            // A death of both at once.
            _ => {
                self.producer_ends(true);
                self.consumer_ends(true);
            }
        }
        self.check();
    }

    fn producer_ends(&mut self, dies: bool) {
        if dies {
            let dead = std::mem::replace(&mut self.producer, self.region.join());
            dead.die(self.tx.take());
        }
        self.tx = None;
        self.tx = Some(self.producer.typed_producer("q").expect("the role is free, or its owner dead"));
        self.model.new_producer();
    }

    fn consumer_ends(&mut self, dies: bool) {
        if dies {
            let dead = std::mem::replace(&mut self.consumer, self.region.join());
            dead.die(self.rx.take());
            let head = self.region.peek(self.region.entry("q").block_b + at::HEAD);
            self.model.consumer_died(head);
        } else {
            self.rx = None;
            self.model.flush();
        }
        let rx = self.consumer.typed_consumer_with("q", self.receiving.options);
        self.rx = Some(rx.expect("the role is free, or its owner dead"));
        self.model.new_consumer();
    }

    /// The queue's state as both sides report it.
    fn check(&mut self) {
        let (most, fewest) = self.model.used();
        let waiting = self.model.waiting.len() as u32;
        let (refusals, most_used, capacity) = (self.refusals, self.most_used, self.capacity);
        let rx = self.rx();
        assert_eq!((rx.len(), rx.is_empty(), rx.fault()), (waiting, waiting == 0, None));
        let tx = self.tx();
        let len = tx.len();
        assert!((fewest..=most).contains(&len), "{len} slots taken, not {fewest} to {most}");
        assert_eq!((tx.is_empty(), tx.fault(), tx.refused()), (len == 0, None, refusals));
        assert!((most_used..=capacity).contains(&tx.high_water()));
    }
}
