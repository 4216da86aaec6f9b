//! The directory entry of a channel: what it is, how it is laid out, and where its blocks are.

use super::fanout::{FANOUT, Fanout};
use super::lane::{self, Lane};
use super::message::{Message, ValueType};
use super::sync::Mem;

pub(crate) use super::geometry::Geometry;
pub use super::geometry::{Blocks, GRANULE, MAX_PERMITS, MAX_RING};
pub use super::kind::Kind;
pub use super::offset as at;

/// Bytes of a directory entry.
pub const ENTRY_LEN: u32 = 128;
/// Bytes kept for a channel's name, the last of them always 0.
pub const NAME_LEN: usize = 32;
/// One channel as the directory describes it, copied out and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, zero-padded.
    pub name: [u8; NAME_LEN],
    /// The kind of channel.
    pub kind: Kind,
    /// Ring bytes ([`Kind::Frames`]), slots ([`Kind::Broadcast`] too), buffers ([`Kind::Latest`],
    /// [`Kind::Mutex`]), or a count: the highest ([`Kind::Semaphore`]), all permits ([`Kind::Permits`]), all blocks ([`Kind::Pool`]).
    pub capacity: u32,
    /// Bytes from one slot or buffer to the next; the granule for [`Kind::Frames`], 0 where there are
    /// none.
    pub stride: u32,
    /// The largest payload in bytes; of [`Kind::Pool`], the bytes of a block; of typed channels, the type's size; of [`Kind::Semaphore`], the
    /// initial count.
    pub max_len: u32,
    /// The type's structural hash, 0 where untyped.
    pub type_hash: u64,
    /// Which lane it is of a channel with several producers or clients.
    pub lane: Lane,
    /// Which part it is of a queue with several consumers.
    pub fanout: Fanout,
    /// Of [`Kind::Calls`]: the answers' type, as the other two fields are of the requests' type; otherwise
    /// zero.
    pub answer: ValueType,
    /// The domain of the producer or writer.
    pub domain_a: u32,
    /// The domain of the consumer.
    pub domain_b: u32,
    /// Offset of the block that A, the producer or writer, writes.
    pub block_a: u32,
    /// Offset of the block that B, the consumer, writes; 0 where there is none.
    pub block_b: u32,
    /// Offset of the block of compare-and-swap and wait words.
    pub block_c: u32,
    /// Offset of the slots, buffers or ring: inside block A, or behind all control words if the payload
    /// is split off.
    pub data: u32,
    /// Whether the region keeps all payload behind all control words, as set in its header.
    pub split_payload: bool,
    /// Offset of the word on which A sleeps for space; 0 if it may not block.
    pub wait_a: u32,
    /// Offset of the word on which B sleeps for data; 0 if it may not block.
    pub wait_b: u32,
    /// How often a change is expected, in microseconds; 0 if the plan does not say. See
    /// [`Channel::expected_every`](crate::Channel::expected_every).
    pub period_us: u32,
}

/// The values of the region's header that an entry is checked against.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of the region.
    pub total_len: u32,
    /// The end of the participant table: no channel's block starts below it.
    pub floor: u32,
    /// The padding between words of different writers.
    pub line: u32,
    /// Offset from which on there is only payload; 0 if each channel's is with its control words.
    pub payload: u32,
}

impl Entry {
    /// The name, or `None` if it is not UTF-8, empty, not zero-padded, or has a slash.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let len = self.name.iter().position(|&byte| byte == 0)?;
        if len == 0 || self.name[len..].iter().any(|&byte| byte != 0) {
            return None;
        }
        core::str::from_utf8(&self.name[..len]).ok().filter(|name| !name.contains('/'))
    }

    pub(crate) const fn geometry(&self) -> Geometry {
        let Self { kind, capacity, stride, max_len, split_payload, .. } = *self;
        Geometry { kind, capacity, stride, max_len, answer: self.answer.size, split_payload }
    }

    /// Where everything is within the blocks, for a region of this line size.
    #[must_use]
    pub const fn blocks(&self, line: u32) -> Option<Blocks> {
        // Only offsets are taken from this, and those do not depend on the wait words that follow.
        self.geometry().blocks(line, true, true)
    }

    /// Of a pool: the offset of a block's state, the first of its words.
    #[must_use]
    pub(crate) const fn block_state(&self, blocks: &Blocks, index: u32) -> u32 {
        let words = at::BLOCK_WORDS.wrapping_mul(index);
        self.block_c.wrapping_add(blocks.permits).wrapping_add(words).wrapping_add(at::STATE)
    }

    /// Whether the channel carries values of type `T`.
    #[must_use]
    pub fn carries<T: Message>(&self) -> bool {
        self.carries_type(ValueType::of::<T>())
    }

    /// Whether the channel carries values of this type.
    #[must_use]
    pub fn carries_type(&self, values: ValueType) -> bool {
        self.type_hash == values.hash && self.max_len == values.size
    }

    /// The entry as its 32 words.
    #[must_use]
    pub const fn to_words(&self) -> [u32; 32] {
        let mut words = [0; 32];
        let mut i = 0;
        while i < 8 {
            let n = i * 4;
            words[i] =
                u32::from_le_bytes([self.name[n], self.name[n + 1], self.name[n + 2], self.name[n + 3]]);
            i += 1;
        }
        words[8] = self.kind.code();
        words[11] = self.capacity;
        words[12] = self.stride;
        words[13] = self.max_len;
        words[14] = self.type_hash as u32;
        words[15] = (self.type_hash >> 32) as u32;
        words[16] = self.domain_a;
        words[17] = self.domain_b;
        words[18] = self.block_a;
        words[19] = self.block_b;
        words[20] = self.block_c;
        words[21] = self.data;
        words[22] = self.wait_a;
        words[23] = self.wait_b;
        words[31] = self.period_us;
        if self.lane.is_one_of_many() {
            let (flag, at) = lane::place_of(self.kind);
            words[9] = flag;
            words[at] = self.lane.index;
            words[at + 1] = self.lane.count;
            words[at + 2] = self.lane.urgent;
        }
        if self.fanout.is_some() {
            words[9] = FANOUT;
            words[24] = self.fanout.index;
            words[25] = self.fanout.count;
        }
        if matches!(self.kind, Kind::Calls) {
            words[24] = self.answer.size;
            words[25] = self.answer.hash as u32;
            words[26] = (self.answer.hash >> 32) as u32;
        }
        words
    }

    /// Reads the entry at `offset`, checks it against the region's limits, and returns a private copy.
    /// `Err(None)` means a kind or a flag that this version does not know (skip it), `Err(Some(..))`
    /// names what is wrong.
    pub(crate) fn read(mem: &Mem, offset: u32, limits: &Limits) -> Result<Self, Option<&'static str>> {
        let mut words = [0; 32];
        for (i, word) in words.iter_mut().enumerate() {
            *word = mem.setup_read(offset + 4 * i as u32);
        }
        let kind = Kind::from_code(words[8]).ok_or(None)?;
        let (flag, at) = lane::place_of(kind);
        let (lane, fanout) = match words[9] {
            0 => (Lane::ONLY, Fanout::NONE),
            FANOUT => (Lane::ONLY, Fanout { index: words[24], count: words[25] }),
            set if set == flag => {
                (Lane { index: words[at], count: words[at + 1], urgent: words[at + 2] }, Fanout::NONE)
            }
            _ => return Err(None),
        };
        let name = Self::read_name(mem, offset);
        let entry = Self {
            name,
            kind,
            capacity: words[11],
            stride: words[12],
            max_len: words[13],
            type_hash: u64::from(words[14]) | u64::from(words[15]) << 32,
            lane,
            fanout,
            answer: if kind == Kind::Calls {
                ValueType { hash: u64::from(words[25]) | u64::from(words[26]) << 32, size: words[24] }
            } else {
                ValueType::NONE
            },
            domain_a: words[16],
            domain_b: words[17],
            block_a: words[18],
            block_b: words[19],
            block_c: words[20],
            data: words[21],
            split_payload: limits.payload != 0,
            wait_a: words[22],
            wait_b: words[23],
            period_us: words[31],
        };
        if words[9] == FANOUT && !fanout.is_some() {
            return Err(Some("consumers"));
        }
        entry.check(limits).map_err(Some)?;
        Ok(entry)
    }

    /// The name's bytes in the entry at `offset`, as they are.
    pub(crate) fn read_name(mem: &Mem, offset: u32) -> [u8; NAME_LEN] {
        let mut name = [0; NAME_LEN];
        for (i, bytes) in name.chunks_exact_mut(4).enumerate() {
            bytes.copy_from_slice(&mem.setup_read(offset + 4 * i as u32).to_le_bytes());
        }
        name
    }

    /// Checks that all of the entry's blocks are behind the participants, aligned, and as large as its
    /// geometry asks; and with a split payload, that each is on its side of the payload's start.
    fn check(&self, limits: &Limits) -> Result<(), &'static str> {
        let (floor, line) = (limits.floor, limits.line);
        let len = if self.split_payload { limits.payload } else { limits.total_len };
        if self.name().is_none() {
            return Err("name");
        }
        if !self.geometry().is_sound(line) {
            return Err("geometry");
        }
        if !self.lane.is_sound() || self.lane.is_one_of_many() && !self.kind.has_two_roles() {
            return Err("lane");
        }
        if !self.fanout.is_sound()
            || self.fanout.is_some() && !matches!(self.kind, Kind::Slots | Kind::Compact)
        {
            return Err("consumers");
        }
        let blocks = self.blocks(line).ok_or("geometry")?;
        let align = line.max(8);
        let lies = |offset: u32, size: u32| {
            offset >= floor
                && offset.is_multiple_of(align)
                && offset.checked_add(size).is_some_and(|end| end <= len)
        };
        let word = |offset: u32| offset >= floor && offset.is_multiple_of(4) && offset <= len - 4;
        if !lies(self.block_a, blocks.len_a) || !self.split_payload && self.data != self.block_a + blocks.data
        {
            return Err("block A");
        }
        let data_end = self.data.checked_add(blocks.len_data);
        if self.split_payload
            && (self.data < len
                || !self.data.is_multiple_of(align)
                || data_end.is_none_or(|end| end > limits.total_len))
        {
            return Err("data");
        }
        if blocks.len_b != 0 && !lies(self.block_b, blocks.len_b) {
            return Err("block B");
        }
        if !lies(self.block_c, blocks.wait_b) {
            return Err("block C");
        }
        if self.wait_a != 0 && !word(self.wait_a) || self.wait_b != 0 && !word(self.wait_b) {
            return Err("wait words");
        }
        Ok(())
    }
}
