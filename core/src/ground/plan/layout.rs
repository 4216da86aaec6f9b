//! Computes the offset of everything in a planned region.

use crate::ground::describe::MAX_DESCRIPTION;
use crate::ground::entry::{ENTRY_LEN, Entry};
use crate::ground::fanout::Fanout;
use crate::ground::geometry::{Blocks, Geometry, MAX_REGION, round_up};
use crate::ground::header::{HEADER_LEN, PARTICIPANT_LEN};
use crate::ground::ident::Ident;
use crate::ground::lane::Lane;

use super::Plan;
use super::error::{Fault, PlanError};

/// Where the next entry's blocks start and, if the payload is split off, its payload.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    pub(super) blocks: u32,
    pub(super) payload: u32,
    /// The word on which the consumer of the channel under way sleeps, for its further lanes.
    pub(super) wait_b: u32,
    /// The ring of the channel under way, for its consumers.
    ring: Ring,
}

/// What the consumers of one ring share.
#[derive(Clone, Copy)]
struct Ring {
    block_a: u32,
    data: u32,
    /// The word on which the producer sleeps.
    wait_a: u32,
}

impl Cursor {
    /// Where the first channel starts.
    const fn first(blocks: u32, payload: u32) -> Self {
        Self { blocks, payload, wait_b: 0, ring: Ring { block_a: 0, data: 0, wait_a: 0 } }
    }
}

impl Plan<'_> {
    /// Where the first channel's blocks start, and its payload if that is split off: behind all blocks.
    pub(crate) const fn start(&self) -> Result<Cursor, PlanError> {
        let blocks = match self.channels_start() {
            Ok(start) => start,
            Err(error) => return Err(error),
        };
        if self.split_payload == 0 {
            return Ok(Cursor::first(blocks, 0));
        }
        if !self.split_payload.is_power_of_two() || self.split_payload < 8 || self.split_payload > 1 << 20 {
            return Err(PlanError::plan(Fault::Apart));
        }
        let mut end = blocks;
        let mut i = 0;
        while i < self.channels.len() {
            end = match self.channel_end(i, end) {
                Ok(end) => end,
                Err(fault) => return Err(PlanError { channel: Some(i), fault }),
            };
            i += 1;
        }
        match round_up(end, self.align()) {
            Some(payload) if payload < MAX_REGION => Ok(Cursor::first(blocks, payload)),
            _ => Err(PlanError::plan(Fault::TooLarge)),
        }
    }

    /// Where the first channel's blocks start.
    pub(crate) const fn channels_start(&self) -> Result<u32, PlanError> {
        if !self.line.is_power_of_two() || self.line < 4 || self.line > 4096 {
            return Err(PlanError::plan(Fault::Line));
        }
        if self.entry_count() > (MAX_REGION / ENTRY_LEN) as usize / 2 {
            return Err(PlanError::plan(Fault::TooLarge));
        }
        let participants = self.participant_count();
        if participants == 0 || participants > Ident::MAX_PLACE {
            return Err(PlanError::plan(Fault::Participants));
        }
        if self.description().len() > MAX_DESCRIPTION as usize {
            return Err(PlanError::plan(Fault::Description));
        }
        let end = self.participants_end() + self.description_len();
        match round_up(end, if self.line < 8 { 8 } else { self.line }) {
            Some(start) if start < MAX_REGION => Ok(start),
            _ => Err(PlanError::plan(Fault::TooLarge)),
        }
    }

    /// Where the participant table starts.
    pub(crate) const fn participants_start(&self) -> u32 {
        let end = HEADER_LEN + self.entry_count() as u32 * ENTRY_LEN;
        match round_up(end, if self.line < 64 { 64 } else { self.line }) {
            Some(start) => start,
            None => MAX_REGION,
        }
    }

    /// Where the participant table ends, of a plan that can work.
    pub(crate) const fn participants_end(&self) -> u32 {
        self.participants_start() + self.participant_count() * PARTICIPANT_LEN
    }

    /// The entry of a part of channel `i`, from 0, whose blocks start at `start`, and where the next ones start. A
    /// part is a lane, or of a queue with several consumers its ring, and then each consumer.
    pub(crate) const fn place(
        &self,
        i: usize,
        lane: u32,
        start: Cursor,
    ) -> Result<(Entry, Cursor), PlanError> {
        match self.place_inner(i, lane, start) {
            Ok(placed) => Ok(placed),
            Err(fault) => Err(PlanError { channel: Some(i), fault }),
        }
    }

    const fn place_inner(&self, i: usize, lane: u32, cursor: Cursor) -> Result<(Entry, Cursor), Fault> {
        let start = cursor.blocks;
        let channel = &self.channels[i];
        let name = match channel.padded_name() {
            Ok(name) => name,
            Err(fault) => return Err(fault),
        };
        let mut other = if lane == 0 { 0 } else { i };
        while other < i {
            if same(self.channels[other].name, channel.name) {
                return Err(Fault::Duplicate);
            }
            other += 1;
        }
        let (geometry, blocks) = match self.measure(i, lane) {
            Ok(measure) => measure,
            Err(fault) => return Err(fault),
        };
        let end = match blocks.end(start) {
            Some(end) => end,
            None => return Err(Fault::TooLarge),
        };
        let wait_b = if lane > 0 {
            cursor.wait_b
        } else {
            match self.wait_word(i, start) {
                Ok(offset) => offset,
                Err(fault) => return Err(fault),
            }
        };
        let payload = match cursor.payload.checked_add(blocks.len_data) {
            _ if self.split_payload == 0 => 0,
            Some(payload) if payload < MAX_REGION => payload,
            _ => return Err(Fault::TooLarge),
        };
        // A consumer has blocks B and C of its own, and the ring of the first part.
        let is_consumer = lane > 0 && channel.consumers.is_some();
        let block_b = start + blocks.len_a;
        let block_c = block_b + blocks.len_b;
        let period_us = match channel.period_us() {
            Ok(period_us) => period_us,
            Err(fault) => return Err(fault),
        };
        let ring = if is_consumer {
            cursor.ring
        } else {
            let data = if self.split_payload == 0 { start + blocks.data } else { cursor.payload };
            let wait_a = if channel.producer_may_block { block_c + blocks.wait_a } else { 0 };
            Ring { block_a: start, data, wait_a }
        };
        let entry = Entry {
            name,
            kind: channel.kind,
            capacity: geometry.capacity,
            stride: geometry.stride,
            max_len: geometry.max_len,
            type_hash: channel.type_hash,
            lane: match channel.consumers {
                Some(_) => Lane::ONLY,
                None => Lane { index: lane, count: channel.lanes, urgent: channel.urgent },
            },
            fanout: match channel.consumers {
                Some(count) => Fanout { index: lane, count },
                None => Fanout::NONE,
            },
            answer: channel.answer,
            domain_a: channel.producer_domain(if is_consumer { 0 } else { lane }),
            domain_b: channel.consumer_domain(lane),
            block_a: ring.block_a,
            block_b: if blocks.len_b == 0 { 0 } else { block_b },
            block_c,
            data: ring.data,
            split_payload: self.split_payload != 0,
            wait_a: ring.wait_a,
            wait_b,
            period_us,
        };
        Ok((entry, Cursor { blocks: end, payload, wait_b, ring }))
    }

    /// How large the blocks of this part of channel `i` are. The first part has the word on which the consumer
    /// sleeps, if the channel has one of its own.
    const fn measure(&self, i: usize, lane: u32) -> Result<(Geometry, Blocks), Fault> {
        let channel = &self.channels[i];
        let geometry = match channel.geometry(self.line, self.split_payload != 0) {
            Ok(geometry) => geometry,
            Err(fault) => return Err(fault),
        };
        let own_wait_b = channel.consumer_may_block && lane == 0 && self.doorbell_owner(i) == i;
        let is_consumer = lane > 0 && channel.consumers.is_some();
        match geometry.blocks(self.line, own_wait_b, channel.producer_may_block && !is_consumer) {
            Some(blocks) if is_consumer => Ok((geometry, Blocks { len_a: 0, len_data: 0, ..blocks })),
            Some(blocks) => Ok((geometry, blocks)),
            None => Err(Fault::TooLarge),
        }
    }

    /// Where the blocks of channel `i` end, with all its lanes, if they start at `start`.
    const fn channel_end(&self, i: usize, start: u32) -> Result<u32, Fault> {
        let end = match self.measure(i, 0) {
            Ok((_, first)) => first.end(start),
            Err(fault) => return Err(fault),
        };
        let further = self.entries_of(i) - 1;
        let end = match (end, further) {
            (Some(end), 0) => Some(end),
            (Some(end), _) => match self.measure(i, 1) {
                Ok((_, others)) => others.end_of(end, further),
                Err(fault) => return Err(fault),
            },
            (None, _) => None,
        };
        match end {
            Some(end) => Ok(end),
            None => Err(Fault::TooLarge),
        }
    }

    /// The offset of the word on which the consumer of channel `i` sleeps, whose blocks start at
    /// `start`; 0 if it may not.
    const fn wait_word(&self, i: usize, start: u32) -> Result<u32, Fault> {
        if !self.channels[i].consumer_may_block {
            return Ok(0);
        }
        let owner = self.doorbell_owner(i);
        let mut at = start;
        if owner != i {
            at = match self.channels_start() {
                Ok(start) => start,
                Err(error) => return Err(error.fault),
            };
            let mut before = 0;
            while before < owner {
                at = match self.channel_end(before, at) {
                    Ok(end) => end,
                    Err(fault) => return Err(fault),
                };
                before += 1;
            }
        }
        match self.measure(owner, 0) {
            Ok((_, blocks)) => Ok(at + blocks.len_a + blocks.len_b + blocks.wait_b),
            Err(fault) => Err(fault),
        }
    }

    /// The channel whose wait word channel `i` uses: the first with its doorbell, or itself.
    const fn doorbell_owner(&self, i: usize) -> usize {
        let doorbell = self.channels[i].doorbell;
        let mut first = 0;
        while doorbell != 0 && first < i {
            if self.channels[first].doorbell == doorbell {
                return first;
            }
            first += 1;
        }
        i
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
