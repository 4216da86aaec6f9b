//! Queues of frames.

use strait_core::ground::entry::at;
use strait_core::{Channel, Consumer, Plan, Producer, TrySendError};

use super::{MOST, Receiving, start};
use crate::common::calls::{self, footprint, payload};
use crate::common::model::Model;
use crate::input::Input;
use crate::world::{FuzzPort, Member, Region};

/// The longest payload that is tried, a little more than the largest channel takes.
const LONGEST: usize = 130;

struct Run<'r> {
    region: &'r Region,
    receiving: Receiving,
    capacity: u32,
    max_len: u32,
    producer: Member<'r>,
    consumer: Member<'r>,
    tx: Option<Producer<FuzzPort<'r>>>,
    rx: Option<Consumer<FuzzPort<'r>>>,
    model: Model,
    refusals: u32,
    most_used: u32,
    tag: u32,
}

/// One run.
pub(super) fn run(input: &mut Input<'_>) {
    let receiving = Receiving::read(input);
    let capacity = 64 << input.below(3);
    let max_len = (capacity / 2 - 16_u32).saturating_sub(7 * input.below(4) as u32);
    let start = start(input, 16);
    let channels = [Channel::frames("q", capacity, max_len)];
    let region = Region::new(&Plan::new(&channels).line(4).participants(3));
    let entry = region.entry("q");
    let sequence = start.wrapping_mul(3);
    for (offset, value) in [
        (entry.block_a + at::MARK, start),
        (entry.block_a + at::MARK_SEQUENCE, sequence),
        (entry.block_b + at::HEAD, start),
        (entry.block_b + at::HEAD_SEQUENCE, sequence),
    ] {
        region.poke(offset, value);
    }
    let (producer, consumer) = (region.join(), region.join());
    let mut run = Run {
        tx: Some(producer.producer("q").expect("the role is free")),
        rx: Some(consumer.consumer_with("q", receiving.options).expect("the role is free")),
        model: Model::new(capacity, 16, receiving.every, start, sequence),
        region: &region,
        receiving,
        capacity,
        max_len,
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
        run.recv(&mut [0; LONGEST]);
    }
    run.recv(&mut [0; LONGEST]);
    run.check();
}

impl<'r> Run<'r> {
    fn tx(&mut self) -> &mut Producer<FuzzPort<'r>> {
        self.tx.as_mut().expect("always there")
    }

    fn rx(&mut self) -> &mut Consumer<FuzzPort<'r>> {
        self.rx.as_mut().expect("always there")
    }

    fn rx_and_model(&mut self) -> (&mut Consumer<FuzzPort<'r>>, &mut Model) {
        (self.rx.as_mut().expect("always there"), &mut self.model)
    }

    /// The outcome of a send, compared with the model.
    fn account(&mut self, result: Result<(), TrySendError>, tag: u32, bytes: &[u8], reserved: usize) {
        let too_large = reserved as u32 > self.max_len;
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
                let fits = bytes.len() as u32 <= self.max_len;
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
        if let Some(reserved) = calls::grant(self.tx(), tag, &bytes, commit) {
            let sent = &bytes[..commit.unwrap_or(len).min(len) as usize];
            self.account(reserved, tag, sent, bytes.len());
        }
    }

    fn recv(&mut self, buffer: &mut [u8]) {
        let now = self.receiving.at_most_once;
        let (rx, model) = self.rx_and_model();
        calls::recv(rx, model, buffer, now);
    }

    fn apply(&mut self, input: &mut Input<'_>) {
        match input.below(32) {
            0..=7 => self.send(input.below(LONGEST) as u32),
            8..=10 => {
                let count = input.below(5);
                let lens: Vec<u32> = (0..count).map(|_| input.below(LONGEST) as u32).collect();
                self.send_batch(&lens);
            }
            11..=13 => {
                let len = input.below(LONGEST) as u32;
                let commit = if input.flag() { Some(input.below(LONGEST) as u32) } else { None };
                self.grant(len, commit);
            }
            14..=19 => self.recv(&mut [0; LONGEST]),
            20 => {
                let shortest = self.model.waiting.front().map_or(0, |message| message.payload.len());
                self.recv(&mut vec![0; shortest.saturating_sub(1)]);
            }
            21..=22 => {
                let now = self.receiving.at_most_once;
                let (rx, model) = self.rx_and_model();
                calls::recv_owned(rx, model, now);
            }
            23..=24 => {
                let (rx, model) = self.rx_and_model();
                calls::peek(rx, model, input.flag());
            }
            25..=26 => {
                let (rx, model) = self.rx_and_model();
                calls::recv_batch(rx, model, input.below(5));
            }
            27 => {
                self.rx().release();
                self.model.release();
            }
            28 => {
                self.rx().flush();
                self.model.flush();
            }
            29 => self.producer_ends(input.flag()),
            30 => self.consumer_ends(input.flag()),
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
            let who = dead.ident();
            dead.die(self.tx.take());
            let tx = self.producer.producer("q").expect("the owner is dead");
            assert_eq!(tx.taken_over_from(), Some(who));
            self.tx = Some(tx);
        } else {
            self.tx = None;
            self.tx = Some(self.producer.producer("q").expect("the role is free"));
        }
        self.model.new_producer();
    }

    fn consumer_ends(&mut self, dies: bool) {
        if dies {
            let dead = std::mem::replace(&mut self.consumer, self.region.join());
            let who = dead.ident();
            dead.die(self.rx.take());
            let head = self.region.peek(self.region.entry("q").block_b + at::HEAD);
            self.model.consumer_died(head);
            let rx = self.consumer.consumer_with("q", self.receiving.options);
            let rx = rx.expect("the owner is dead");
            assert_eq!(rx.taken_over_from(), Some(who));
            self.rx = Some(rx);
        } else {
            self.rx = None;
            let rx = self.consumer.consumer_with("q", self.receiving.options);
            self.rx = Some(rx.expect("the role is free"));
            self.model.flush();
        }
        self.model.new_consumer();
    }

    /// The queue's state as both sides report it.
    fn check(&mut self) {
        let (most, fewest) = self.model.used();
        let waiting = self.model.waiting.len() as u32;
        let (sequence, refusals, most_used) = (self.model.sequence, self.refusals, self.most_used);
        let capacity = self.capacity;
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
