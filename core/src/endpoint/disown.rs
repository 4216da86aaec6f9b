//! Marking a private copy of a region as nobody's, so that a forked child's endpoints find out where they are.
//!
//! A forked child inherits endpoints with what they know: where their queue goes on, and how much space there is. So
//! the checks that they make anyhow must fail. Each word that an endpoint loads on its way gets a value that no honest
//! peer leaves there; the endpoint then takes its slow path, where it asks the port, and returns
//! [`Violation::Forked`](crate::Violation::Forked). Ordinary processes pay nothing for that.
//!
//! | what an endpoint loads | in the copy | so the child's |
//! |---|---|---|
//! | the other side's head | half of 2^32 away | send fails when it looks for space |
//! | the requests for space | half of 2^32 away | a receive that found something latches the fault |
//! | the next sequence, commit word, tail or ticket | impossible | receive, call or serve fails |
//! | the word on which the other side sleeps | asleep | send or publication fails when it wakes |
//! | a lock's word, a permit, a pool's block | names nobody | lock or acquire fails, a release is not the owner's |
//! | a semaphore's count | past any maximum | acquire and release fail |
//! | the newest value's count | odd | read finds no whole value |
//!
//! What is *not* loaded cannot tell: a send on a channel that nobody can sleep for, as long as there is space that the
//! producer knew of before the fork, and a publication of such a latest value or broadcast. Payload stays as it was.

use crate::ground::call;
use crate::ground::entry::{Blocks, Entry};
use crate::ground::geometry::GRANULE;
use crate::ground::header::Header;
use crate::ground::kind::Kind;
use crate::ground::offset;
use crate::ground::ring::bytes::Bytes;
use crate::ground::sync::Mem;
use crate::protocol::{frames, park, semaphore};

/// From any honest position, count or ticket, this is too far away to be one; and so is whatever is near it.
const HALF: u32 = 1 << 31;
/// The identity's part of a word that names nobody, and is not 0: epoch 1 of place 0.
const NOBODY: u32 = 1 << 9;
/// A commit word that is neither empty, nor a frame, nor a pad.
const NO_FRAME: u32 = 1;

/// Marks all channels of a region's private copy, so that endpoints which use it return
/// [`Violation::Forked`](crate::Violation::Forked): for ports whose processes fork, in the child, before anything else
/// runs there. The port's [`has_forked`](crate::port::Port::has_forked) must be `true` then.
///
/// Only loads and stores, in proportion to the number of channels, permits and slots that were published last: it may
/// run where a signal handler may. The payload stays. Nothing happens if the header is not sound.
pub fn disown(mem: &Mem) {
    let Ok(header) = Header::check(mem) else { return };
    for entry in header.channels(mem) {
        if let Some(blocks) = entry.blocks(header.line) {
            Copy { mem, entry, blocks, line: header.line }.mark();
        }
    }
}

/// A channel of the copy.
struct Copy<'a> {
    mem: &'a Mem,
    entry: Entry,
    blocks: Blocks,
    line: u32,
}

impl Copy<'_> {
    fn mark(&self) {
        let (entry, blocks) = (&self.entry, &self.blocks);
        let first = entry.block_c + offset::OWNER;
        match entry.kind {
            // Its ring is another part. Of its own it has the head, and is left out by a producer that looks at it.
            Kind::Slots | Kind::Compact if entry.fanout.consumer().is_some() => {
                self.flip(entry.block_b + offset::HEAD)
            }
            Kind::Frames | Kind::Slots | Kind::Compact => self.mark_queue(),
            Kind::Calls => self.mark_calls(),
            // Odd, so nothing whole; and a broadcast's reader finds another lap in its slot.
            Kind::Latest | Kind::Broadcast => self.mark_values(),
            Kind::Mutex => {
                self.put(first, NOBODY);
                // Another version, in the same buffer, for those that wait for a change.
                self.change(entry.block_a + offset::VERSION, |version| version.wrapping_add(2));
            }
            Kind::Semaphore => {
                // A count past any maximum: it is the initial one and the word, modulo 2^31.
                self.put(first, semaphore::FORKED.wrapping_sub(entry.max_len));
            }
            Kind::Permits => {
                (0..entry.capacity)
                    .for_each(|index| self.put(entry.block_c + blocks.permits + 4 * index, NOBODY));
            }
            Kind::Pool => {
                (0..entry.capacity).for_each(|index| self.put(entry.block_state(blocks, index), NOBODY));
            }
        }
        for wait in [entry.wait_a, entry.wait_b] {
            if wait != 0 {
                self.change(wait, |word| word | park::PARKED);
            }
        }
    }

    /// A queue's words, and what its consumer looks at next if it has received all.
    fn mark_queue(&self) {
        let Entry { kind, block_a, block_b, .. } = self.entry;
        match kind {
            Kind::Slots => self.mark_slot(),
            Kind::Frames => self.mark_frame(),
            _ => self.flip(block_a + offset::MARK),
        }
        self.flip(block_b + offset::HEAD);
        self.flip(block_a + self.blocks.want);
    }

    /// The slot behind those that are published, each of which is followed by a sequence.
    fn mark_slot(&self) {
        let Entry { block_a, data, stride, capacity, .. } = self.entry;
        let place = |pos: u32| data + (pos & (capacity - 1)) * stride + stride - 4;
        let mut pos = self.mem.setup_read(block_a + offset::MARK);
        for _ in 0..capacity {
            if self.mem.setup_read(place(pos)) != pos.wrapping_add(1) {
                break;
            }
            pos = pos.wrapping_add(1);
        }
        // Neither this lap's nor the last one's, and not 0.
        self.put(place(pos), pos.wrapping_add(1) ^ HALF | u32::from(pos.wrapping_add(1) == HALF));
    }

    /// The header behind the frames that are published.
    fn mark_frame(&self) {
        let Entry { block_a, data, capacity, max_len, .. } = self.entry;
        let ring = self.mem.range(data, self.blocks.len_data).and_then(|span| Bytes::new(span, capacity));
        let Some(ring) = ring else { return };
        let mut pos = self.mem.setup_read(block_a + offset::MARK);
        for _ in 0..capacity / GRANULE {
            match frames::after(&ring, pos, max_len) {
                Some(next) => pos = next,
                None => break,
            }
        }
        let place = pos & (capacity - 1) & !(GRANULE - 1);
        self.put(data + place + offset::COMMIT, NO_FRAME);
    }

    /// What either side looks at in each of the places, of which there are a few.
    fn mark_calls(&self) {
        let Entry { block_b, capacity, stride, data, answer, .. } = self.entry;
        let Some(answers) = call::stride(answer.size, self.line) else { return };
        for place in 0..capacity {
            let request = data + place * stride + stride - call::WORDS;
            let done = block_b + self.blocks.answers + place * answers + answers - call::WORDS;
            self.flip(request + call::TICKET);
            self.flip(done + call::TAKEN);
            self.flip(done + call::DONE);
        }
    }

    /// The newest count, and of a broadcast the slot for the next value, whose reader looks there alone.
    fn mark_values(&self) {
        let Entry { kind, block_a, data, stride, capacity, split_payload, .. } = self.entry;
        let newest = block_a + offset::NEWEST;
        if kind == Kind::Broadcast {
            let next = (self.mem.setup_read(newest) >> 1).wrapping_add(1) & (capacity - 1);
            let slot = if split_payload {
                block_a + offset::HEADERS + next * offset::VALUE
            } else {
                data + next * stride
            };
            self.flip(slot + offset::COUNT);
            self.flip(slot + offset::LAP);
        }
        self.change(newest, |count| count | 1);
    }

    fn flip(&self, at: u32) {
        self.change(at, |word| word ^ HALF);
    }

    fn change(&self, at: u32, change: impl FnOnce(u32) -> u32) {
        self.put(at, change(self.mem.setup_read(at)));
    }

    fn put(&self, at: u32, word: u32) {
        self.mem.setup_write(at, word);
    }
}
