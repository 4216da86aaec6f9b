//! Queues of frames.

use strait_core::ground::entry::at;
use strait_core::{Channel, Consumer, Plan, Producer, Received, TryRecvError, TrySendError};

use super::{MOST, Receiving, start};
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

fn payload(len: u32, tag: u32) -> Vec<u8> {
    (0..len).map(|i| (i ^ tag.wrapping_mul(31)) as u8).collect()
}

fn footprint(len: usize) -> u32 {
    16 + (len as u32).div_ceil(16) * 16
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
        let now = self.receiving.at_most_once;
        match self.rx().try_recv(buffer) {
            Ok(got) => self.check_received(got, &buffer[..got.len], now),
            Err(TryRecvError::Empty) => {
                assert!(self.model.waiting.is_empty(), "empty with messages waiting");
                self.model.flush();
            }
            Err(TryRecvError::TooSmall { needed }) => {
                self.model.release();
                let want = self.model.waiting.front().expect("a message");
                assert_eq!(needed, want.payload.len());
                assert!(needed > buffer.len());
            }
            Err(error) => panic!("{error:?} among honest peers"),
        }
    }

    fn recv_owned(&mut self) {
        let now = self.receiving.at_most_once;
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
                assert_eq!(needed, self.model.waiting.front().expect("a message").payload.len());
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
            let want = self.model.waiting.front().expect("a message");
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
            21..=22 => self.recv_owned(),
            23..=24 => self.peek(input.flag()),
            25..=26 => self.recv_batch(input.below(5)),
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
