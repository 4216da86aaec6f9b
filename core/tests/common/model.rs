//! The expected behaviour of a queue, in simple code: a `VecDeque` of messages, and how far the consumer
//! may lag in telling the region.

use std::collections::VecDeque;

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub tag: u32,
    pub payload: Vec<u8>,
    pub sequence: u32,
    /// Where it starts, a pad before it included, and where it ends, in units of the ring.
    pub start: u32,
    pub end: u32,
}

/// A queue and its consumer's accounts.
#[derive(Clone, Debug)]
pub struct Model {
    capacity: u32,
    unit: u32,
    every: u32,
    /// Not received yet.
    pub waiting: VecDeque<Message>,
    /// Received and not released.
    pub held: Option<Message>,
    /// Released, and perhaps not published yet; a successor may see them again.
    pub told_late: VecDeque<Message>,
    /// Published up to here.
    pub tail: u32,
    /// The sequence of the next message.
    pub sequence: u32,
    /// How often the producer asked for space.
    wishes: u32,
    /// The head when it asked last.
    asked_at: Option<u32>,
    /// How many of the wishes the consumer has seen.
    seen: u32,
    /// How many of them it had seen when it published its head last.
    answered: u32,
}

impl Model {
    pub fn new(capacity: u32, unit: u32, every: u32, start: u32, sequence: u32) -> Self {
        Self {
            capacity,
            unit,
            every,
            waiting: VecDeque::new(),
            held: None,
            told_late: VecDeque::new(),
            tail: start,
            sequence,
            wishes: 0,
            asked_at: None,
            seen: 0,
            answered: 0,
        }
    }

    /// Units that a message of this footprint takes, with the pad it needs where the tail is.
    fn footprint(&self, units: u32) -> u32 {
        let to_end = self.capacity - (self.tail & (self.capacity - 1));
        if units > to_end { to_end + units } else { units }
    }

    /// The consumer has released up to here.
    fn released(&self) -> u32 {
        let first = self.held.as_ref().or(self.waiting.front());
        first.map_or(self.tail, |message| message.start)
    }

    /// The furthest back that the head in the region may be.
    pub fn lowest_head(&self) -> u32 {
        self.told_late.front().map_or(self.released(), |message| message.start)
    }

    /// The most and the fewest units that may count as taken.
    pub fn used(&self) -> (u32, u32) {
        (self.tail.wrapping_sub(self.lowest_head()), self.tail.wrapping_sub(self.released()))
    }

    /// Whether a refusal is within the documented slack: what is held, what was released late, and
    /// `spare` units that always stay free.
    pub fn may_refuse(&self, units: u32, spare: u32) -> bool {
        self.footprint(units) + spare > self.capacity - self.used().0
    }

    /// Whether there is room at all.
    pub fn may_accept(&self, units: u32, spare: u32) -> bool {
        self.footprint(units) + spare <= self.capacity - self.used().1
    }

    /// A message of `units` was sent, after `reserved` units were reserved.
    pub fn sent(&mut self, tag: u32, payload: &[u8], reserved: u32, units: u32) {
        let pad = self.footprint(reserved) - reserved;
        let end = self.tail.wrapping_add(pad + units);
        let (start, sequence) = (self.tail, self.sequence);
        self.waiting.push_back(Message { tag, payload: payload.to_vec(), sequence, start, end });
        self.tail = end;
        self.sequence = sequence.wrapping_add(1);
    }

    pub fn refused(&mut self) {
        let head = Some(self.lowest_head());
        self.wishes += u32::from(self.asked_at != head);
        self.asked_at = head;
    }

    /// A new producer does not know what the last one asked.
    pub fn new_producer(&mut self) {
        self.asked_at = None;
    }

    /// A new consumer does not know what the last one answered.
    pub fn new_consumer(&mut self) {
        self.answered = self.wishes.saturating_sub(1);
        self.seen = self.answered;
    }

    /// The consumer was called: what it held is released.
    pub fn release(&mut self) {
        self.told_late.extend(self.held.take());
        self.tell_if_due();
    }

    fn tell_if_due(&mut self) {
        if self.is_late() || self.is_wanted() {
            self.told();
        }
    }

    fn is_late(&self) -> bool {
        let late = self.tail_of_released().wrapping_sub(self.lowest_head());
        self.told_late.len() as u32 >= self.every || late >= (self.capacity / 4).max(self.unit)
    }

    fn is_wanted(&mut self) -> bool {
        self.seen = self.wishes;
        self.seen != self.answered
    }

    fn tail_of_released(&self) -> u32 {
        self.told_late.back().map_or(self.released(), |message| message.end)
    }

    /// The consumer published everything it released.
    fn told(&mut self) {
        if !self.told_late.is_empty() {
            self.answered = self.seen;
        }
        self.told_late.clear();
    }

    /// The consumer released and published everything, requested or not.
    pub fn flush(&mut self) {
        self.told_late.extend(self.held.take());
        self.told();
    }

    /// The consumer takes the next message, to be released now or later; what it held is released.
    pub fn take(&mut self, now: bool) -> Message {
        let message = self.pop(now);
        self.tell_if_due();
        message
    }

    /// The same within a batch, before whose end wishes are not looked at.
    pub fn take_in_batch(&mut self, now: bool) -> Message {
        let message = self.pop(now);
        if self.is_late() {
            self.told();
        }
        message
    }

    fn pop(&mut self, now: bool) -> Message {
        let message = self.waiting.pop_front().expect("a message");
        self.told_late.extend(self.held.take());
        self.held = Some(message.clone());
        if now {
            self.told_late.extend(self.held.take());
        }
        message
    }

    /// The consumer died with the region's head here. All from there on comes again.
    pub fn consumer_died(&mut self, head: u32) {
        let lost = self.held.take();
        let again: Vec<_> = self.told_late.drain(..).chain(lost).collect();
        for message in again.into_iter().rev() {
            let unreleased = message.end.wrapping_sub(head);
            if unreleased != 0 && unreleased <= self.capacity {
                self.waiting.push_front(message);
            }
        }
        assert_eq!(self.released(), head, "the head is where a message starts or the queue ends");
    }
}
