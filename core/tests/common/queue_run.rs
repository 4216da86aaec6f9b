//! A queue of any kind held against the model: what is the same for all kinds. Each kind's test file
//! adds its own ways to send and to receive.

use proptest::prelude::*;
use strait_core::ground::entry::at;
use strait_core::{ConsumerOptions, Delivery, Violation};

use super::model::Model;
use super::{Member, Region};

/// A kind of queue, as far as all kinds are used alike. Its channel is `q`.
pub trait Queue {
    type Tx;
    type Rx;
    /// Units that always stay free.
    const SPARE: u32;

    fn tx(member: &Member) -> Self::Tx;
    fn rx(member: &Member, options: ConsumerOptions) -> Self::Rx;
    fn release(rx: &mut Self::Rx);
    fn flush(rx: &mut Self::Rx);
    fn accounts(tx: &mut Self::Tx, rx: &Self::Rx) -> Accounts;
}

/// What the two sides report of the queue.
#[derive(Debug, PartialEq)]
pub struct Accounts {
    /// Messages to be received, and whether there are none.
    pub waiting: (u32, bool),
    /// Units taken, and whether there are none.
    pub used: (u32, bool),
    pub high_water: u32,
    pub next_sequence: u32,
    pub refused: u32,
    pub faults: [Option<Violation>; 2],
}

/// What can be done to a queue of any kind.
#[derive(Clone, Debug)]
pub enum Step {
    Release,
    Flush,
    ProducerLeaves,
    ProducerDies,
    ConsumerLeaves,
    ConsumerDies,
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Release),
        Just(Step::Flush),
        Just(Step::ProducerLeaves),
        Just(Step::ProducerDies),
        Just(Step::ConsumerLeaves),
        Just(Step::ConsumerDies),
    ]
}

/// How the consumer releases.
#[derive(Clone, Debug)]
pub struct Releases {
    pub every: u32,
    pub at_most_once: bool,
}

pub fn releases() -> impl Strategy<Value = Releases> {
    let every = prop::sample::select(vec![1, 2, 4, 64]);
    (every, any::<bool>()).prop_map(|(every, at_most_once)| Releases { every, at_most_once })
}

/// The queue, its two participants, and the model of it.
pub struct Run<Q: Queue> {
    pub region: Region,
    pub model: Model,
    /// Whether a message is released as soon as it is received.
    pub at_most_once: bool,
    tx: Option<Q::Tx>,
    rx: Option<Q::Rx>,
    producer: Member,
    consumer: Member,
    options: ConsumerOptions,
    capacity: u32,
    refusals: u32,
    most_used: u32,
    tag: u32,
}

impl<Q: Queue> Run<Q> {
    /// Over a region whose channel stands at `start` with `sequence`, in a ring of units of this size.
    pub fn new(region: Region, releases: &Releases, unit: u32, start: u32, sequence: u32) -> Self {
        let Releases { every, at_most_once } = *releases;
        let delivery = if at_most_once { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        let options = ConsumerOptions::new().delivery(delivery).release_every(every);
        let every = if at_most_once { 1 } else { every };
        let capacity = region.entry("q").capacity;
        let (producer, consumer) = (region.join(), region.join());
        Self {
            tx: Some(Q::tx(&producer)),
            rx: Some(Q::rx(&consumer, options)),
            model: Model::new(capacity, unit, every, start, sequence),
            at_most_once,
            producer,
            consumer,
            region,
            options,
            capacity,
            refusals: 0,
            most_used: 0,
            tag: 0,
        }
    }

    pub fn tx(&mut self) -> &mut Q::Tx {
        self.tx.as_mut().unwrap()
    }

    pub fn rx(&mut self) -> &mut Q::Rx {
        self.rx.as_mut().unwrap()
    }

    /// The consumer's end, and the model that it is held against.
    pub fn rx_and_model(&mut self) -> (&mut Q::Rx, &mut Model) {
        (self.rx.as_mut().unwrap(), &mut self.model)
    }

    /// The number of the next message to be sent.
    pub fn next_tag(&mut self) -> u32 {
        self.tag += 1;
        self.tag
    }

    /// A message of `units` was sent, after `reserved` units were reserved.
    pub fn sent(&mut self, tag: u32, payload: &[u8], reserved: u32, units: u32) {
        assert!(self.model.may_accept(reserved, Q::SPARE), "accepted without space");
        self.model.sent(tag, payload, reserved, units);
        self.most_used = self.most_used.max(self.model.used().1);
    }

    /// A message of this many units was refused as one too many.
    pub fn refused(&mut self, units: u32) {
        assert!(self.model.may_refuse(units, Q::SPARE), "refused with space");
        self.model.refused();
        self.refusals += 1;
    }

    /// Does something that can be done to any queue.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Release => {
                Q::release(self.rx());
                self.model.release();
            }
            Step::Flush => {
                Q::flush(self.rx());
                self.model.flush();
            }
            Step::ProducerLeaves => {
                self.tx = None;
                self.tx = Some(Q::tx(&self.producer));
                self.model.new_producer();
            }
            Step::ProducerDies => {
                let dead = std::mem::replace(&mut self.producer, self.region.join());
                dead.die(self.tx.take());
                self.tx = Some(Q::tx(&self.producer));
                self.model.new_producer();
            }
            Step::ConsumerLeaves => {
                self.rx = None;
                self.rx = Some(Q::rx(&self.consumer, self.options));
                self.model.flush();
                self.model.new_consumer();
            }
            Step::ConsumerDies => {
                let dead = std::mem::replace(&mut self.consumer, self.region.join());
                dead.die(self.rx.take());
                let head = self.region.peek(self.region.entry("q").block_b + at::HEAD);
                self.model.consumer_died(head);
                self.model.new_consumer();
                self.rx = Some(Q::rx(&self.consumer, self.options));
            }
        }
    }

    /// Compares the reports of both sides with the model.
    pub fn check(&mut self) {
        let (most, fewest) = self.model.used();
        let waiting = self.model.waiting.len() as u32;
        let said = Q::accounts(self.tx.as_mut().unwrap(), self.rx.as_ref().unwrap());
        let Accounts { used: (used, _), high_water, .. } = said;
        assert!((fewest..=most).contains(&used), "{used} units taken, not {fewest} to {most}");
        assert!((self.most_used..=self.capacity).contains(&high_water));
        let right = Accounts {
            waiting: (waiting, waiting == 0),
            used: (used, used == 0),
            high_water,
            next_sequence: self.model.sequence,
            refused: self.refusals,
            faults: [None; 2],
        };
        assert_eq!(said, right);
    }
}
