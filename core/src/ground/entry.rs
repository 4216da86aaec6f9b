//! The directory entry of a channel: what it is, how it is laid out, and where its blocks lie.

use super::frame::{Frame, ValueType};
use super::header::Header;
use super::sync::Mem;

/// Bytes of a directory entry.
pub const ENTRY_LEN: u32 = 128;
/// Bytes kept for a channel's name, the last of them always 0.
pub const NAME_LEN: usize = 32;
/// Frames and byte rings are laid out in granules of this many bytes; a frame's header is one.
pub const GRANULE: u32 = 16;
/// The largest ring, in bytes or in slots, and the highest count.
pub const MAX_RING: u32 = 1 << 30;
/// The most permits of one semaphore whose permits come back: they are searched one by one.
pub const MAX_PERMITS: u32 = 4096;

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A queue of frames of varying length, published in the slot (a byte ring).
    Frames,
    /// A queue of values of one type, published in the slot.
    Slots,
    /// A queue of values of one type, published by index: no word per slot.
    Compact,
    /// The latest of a stream of values.
    Latest,
    /// A value under a lock.
    Mutex,
    /// A count to be waited for.
    Semaphore,
    /// Permits that come back from the dead.
    Permits,
}

impl Kind {
    /// The kind's number in the directory.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Frames => 1,
            Self::Slots => 2,
            Self::Compact => 3,
            Self::Latest => 4,
            Self::Mutex => 5,
            Self::Semaphore => 6,
            Self::Permits => 7,
        }
    }

    /// The kind of a number, or `None` for one that this version does not know.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Frames),
            2 => Some(Self::Slots),
            3 => Some(Self::Compact),
            4 => Some(Self::Latest),
            5 => Some(Self::Mutex),
            6 => Some(Self::Semaphore),
            7 => Some(Self::Permits),
            _ => None,
        }
    }

    /// The kind's name, as tools print it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Slots => "slots",
            Self::Compact => "compact",
            Self::Latest => "latest",
            Self::Mutex => "mutex",
            Self::Semaphore => "semaphore",
            Self::Permits => "permits",
        }
    }

    /// Whether it is a queue, with a producer and a consumer.
    #[must_use]
    pub const fn is_queue(self) -> bool {
        matches!(self, Self::Frames | Self::Slots | Self::Compact)
    }

    /// Whether its payload can lie apart from its control words: whether no word of it publishes, and nobody
    /// locks it.
    #[must_use]
    pub const fn can_lie_apart(self) -> bool {
        matches!(self, Self::Compact | Self::Latest)
    }

    /// Whether everybody who uses it compares and swaps one word.
    #[must_use]
    pub const fn is_lock(self) -> bool {
        matches!(self, Self::Mutex | Self::Semaphore | Self::Permits)
    }
}

/// One channel as the directory describes it, copied out and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, zero-padded.
    pub name: [u8; NAME_LEN],
    /// What it is.
    pub kind: Kind,
    /// Ring bytes ([`Kind::Frames`]), slots, buffers ([`Kind::Latest`], [`Kind::Mutex`]), or permits: the
    /// highest count ([`Kind::Semaphore`]), all there are ([`Kind::Permits`]).
    pub capacity: u32,
    /// Bytes from one slot or buffer to the next; the granule for [`Kind::Frames`], 0 where there are
    /// none.
    pub stride: u32,
    /// The largest payload in bytes; of typed channels, the type's size; of [`Kind::Semaphore`], the
    /// initial count.
    pub max_frame: u32,
    /// The type's structural hash, 0 where untyped.
    pub type_hash: u64,
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
    /// Offset of the slots, buffers or ring: inside block A, unless it lies apart.
    pub data: u32,
    /// Whether the region keeps all payload behind all control words, as its header says.
    pub apart: bool,
    /// Offset of the word on which A sleeps for space; 0 if it may not block.
    pub wait_a: u32,
    /// Offset of the word on which B sleeps for data; 0 if it may not block.
    pub wait_b: u32,
}

/// Where things lie within a channel's blocks, for one line size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Bytes of block A.
    pub len_a: u32,
    /// Offset in block A of the word `want_space`.
    pub want: u32,
    /// Bytes of block A before the data, if that does not lie apart; all of it, if it does.
    pub data: u32,
    /// Bytes of the data.
    pub len_data: u32,
    /// Bytes of block B.
    pub len_b: u32,
    /// Offset in block C of B's role words; A's are at 0.
    pub role_b: u32,
    /// Offset in block C of the permits' words.
    pub permits: u32,
    /// Offset in block C of the word on which B sleeps, where the channel has one of its own.
    pub wait_b: u32,
    /// Offset in block C of the word on which A sleeps.
    pub wait_a: u32,
    /// Bytes of block C.
    pub len_c: u32,
}

impl Blocks {
    /// Where the blocks end if they start at `start` (without data that lies apart); `None` from 2 GiB.
    pub(crate) const fn end(&self, start: u32) -> Option<u32> {
        let end = start as u64 + self.len_a as u64 + self.len_b as u64 + self.len_c as u64;
        if end < super::plan::MAX_REGION as u64 { Some(end as u32) } else { None }
    }
}

/// Byte offsets of words within their blocks.
pub mod at {
    /// Block A: bytes (frames) or slots published at least, counting up for ever; where a
    /// successor starts. Of [`Kind::Compact`](super::Kind::Compact), the tail itself.
    pub const MARK: u32 = 0;
    /// Block A: the sequence of the frame that comes at `MARK`.
    pub const MARK_SEQUENCE: u32 = 4;
    /// Block A: upper bound of the fill level ever reached, in the unit of the capacity.
    pub const HIGH_WATER: u32 = 8;
    /// Block A: sends refused for want of space.
    pub const REFUSED: u32 = 12;
    /// Block A of a latest value: the count of the newest complete value.
    pub const NEWEST: u32 = 0;
    /// Block A of a latest value whose values lie apart: their headers, one after the other.
    pub const HEADERS: u32 = 16;
    /// Block B: up to where the consumer has released, in the unit of `MARK`.
    pub const HEAD: u32 = 0;
    /// Block B: the sequence of the first frame not released.
    pub const HEAD_SEQUENCE: u32 = 4;
    /// Block A of a mutex: how often the value was changed; its last bit names the buffer that holds it.
    pub const VERSION: u32 = 0;
    /// Block A of a mutex: 1 while the value is written where it lies.
    pub const IN_PLACE: u32 = 4;
    /// Block C, role words: the owner; of a mutex, the lock's word; of a semaphore, its count.
    pub const OWNER: u32 = 0;
    /// Block C, role words: how often the role was taken over from a dead owner.
    pub const TAKEOVERS: u32 = 4;
    /// Block C, role words: the first violation that the owner saw of its peer.
    pub const FAULT: u32 = 8;
    /// Header of a frame: the commit word.
    pub const COMMIT: u32 = 0;
    /// Header of a frame: the user's tag.
    pub const TAG: u32 = 4;
    /// Header of a frame: its sequence number.
    pub const SEQUENCE: u32 = 8;
    /// Buffer of a latest value: its count; odd while it is written.
    pub const COUNT: u32 = 0;
    /// Buffer of a latest value: how often the count has wrapped.
    pub const LAP: u32 = 4;
    /// Buffer of a latest value: the format tag.
    pub const VALUE_TAG: u32 = 8;
    /// Buffer of a latest value: bytes of the value.
    pub const VALUE_LEN: u32 = 12;
    /// Buffer of a latest value: the value.
    pub const VALUE: u32 = 16;
}

/// `value` rounded up to a multiple of `to`, a power of two; `None` past 2^32.
pub(crate) const fn round_up(value: u32, to: u32) -> Option<u32> {
    match value.checked_add(to - 1) {
        Some(sum) => Some(sum & !(to - 1)),
        None => None,
    }
}

const fn max(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

/// `?` for options in a const fn.
macro_rules! some {
    ($value:expr) => {
        match $value {
            Some(value) => value,
            None => return None,
        }
    };
}

/// Bytes from one slot to the next for values of `size` bytes: the value and its sequence word, in
/// one cache line where that is possible.
pub(crate) const fn slot_stride(size: u32, line: u32) -> Option<u32> {
    let used = some!(size.checked_add(4));
    if line < 64 {
        round_up(used, 8)
    } else if used <= 64 {
        Some(max(8, used.next_power_of_two()))
    } else {
        round_up(used, 64)
    }
}

/// Bytes from one buffer of a latest value to the next: a header and the value, or where values lie apart,
/// the value.
pub(crate) const fn latest_stride(size: u32, line: u32, apart: bool) -> Option<u32> {
    let used = if apart { size } else { some!(size.checked_add(at::VALUE)) };
    round_up(used, max(line, GRANULE))
}

/// The geometry of a channel: everything that its blocks' sizes depend on.
#[derive(Clone, Copy)]
pub(crate) struct Geometry {
    pub kind: Kind,
    pub capacity: u32,
    pub stride: u32,
    pub max_frame: u32,
    pub apart: bool,
}

impl Geometry {
    /// Whether the numbers can work together at all (a plan's mistake, or a peer's lie).
    pub const fn is_sound(&self, line: u32) -> bool {
        if self.capacity == 0 || self.capacity > MAX_RING {
            return false;
        }
        if !self.capacity.is_power_of_two() && !self.kind.is_lock() {
            return false;
        }
        if self.apart && !self.kind.can_lie_apart() {
            return false;
        }
        match self.kind {
            Kind::Mutex => {
                self.capacity == 2
                    && self.max_frame > 0
                    && matches!(round_up(self.max_frame, max(line, 8)), Some(s) if s == self.stride)
            }
            Kind::Semaphore => self.stride == 0 && self.max_frame <= self.capacity,
            Kind::Permits => self.stride == 0 && self.max_frame == 0 && self.capacity <= MAX_PERMITS,
            Kind::Frames => {
                self.stride == GRANULE && self.capacity >= 4 * GRANULE && {
                    match round_up(self.max_frame, GRANULE) {
                        // The worst place is just before the end: a pad of one granule less than
                        // the frame, the frame, and the granule that stays free.
                        Some(payload) => payload <= self.capacity / 2 - GRANULE,
                        None => false,
                    }
                }
            }
            Kind::Slots => {
                self.max_frame > 0 && matches!(slot_stride(self.max_frame, line), Some(s) if s == self.stride)
            }
            Kind::Compact => self.max_frame > 0 && self.stride == self.max_frame,
            Kind::Latest => {
                self.capacity >= 2
                    && self.capacity <= 1 << 16
                    && self.max_frame > 0
                    && matches!(latest_stride(self.max_frame, line, self.apart), Some(s) if s == self.stride)
            }
        }
    }

    /// Where everything lies; `None` past 2^32 bytes.
    pub const fn blocks(&self, line: u32, own_wait_b: bool, own_wait_a: bool) -> Option<Blocks> {
        if !line.is_power_of_two() {
            return None;
        }
        let role = some!(round_up(12, line));
        let word = some!(round_up(4, line));
        let want = some!(round_up(16, line));
        let queue = self.kind.is_queue();
        let control = match self.kind {
            Kind::Latest if self.apart => {
                some!(at::HEADERS.checked_add(some!(GRANULE.checked_mul(self.capacity))))
            }
            _ if queue => some!(want.checked_add(word)),
            _ => want,
        };
        let data = some!(round_up(control, max(line, GRANULE)));
        let bytes = match self.kind {
            Kind::Frames => self.capacity,
            _ => some!(self.capacity.checked_mul(self.stride)),
        };
        let together = some!(round_up(some!(data.checked_add(bytes)), max(line, 8)));
        let len_data = if self.apart { some!(round_up(bytes, max(line, 8))) } else { together - data };
        let len_a = if self.apart { data } else { together };
        let len_b = if queue { some!(round_up(8, max(line, 8))) } else { 0 };
        let role_b = if queue { role } else { 0 };
        let permits = match self.kind {
            Kind::Permits => some!(round_up(4 * self.capacity, line)),
            _ => 0,
        };
        let wait_b = role_b + role + permits;
        let wait_a = wait_b + if own_wait_b { word } else { 0 };
        let end = wait_a + if own_wait_a { word } else { 0 };
        let len_c = some!(round_up(end, max(line, 8)));
        Some(Blocks { len_a, want, data, len_data, len_b, role_b, permits: role, wait_b, wait_a, len_c })
    }
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
        let Self { kind, capacity, stride, max_frame, apart, .. } = *self;
        Geometry { kind, capacity, stride, max_frame, apart }
    }

    /// Where everything lies within the blocks, for a region of this line size.
    #[must_use]
    pub const fn blocks(&self, line: u32) -> Option<Blocks> {
        // Only offsets are taken from this, and those do not depend on the wait words that follow.
        self.geometry().blocks(line, true, true)
    }

    /// Whether the channel carries values of type `T`.
    #[must_use]
    pub fn carries<T: Frame>(&self) -> bool {
        self.carries_type(ValueType::of::<T>())
    }

    /// Whether the channel carries values of this type.
    #[must_use]
    pub fn carries_type(&self, values: ValueType) -> bool {
        self.type_hash == values.hash && self.max_frame == values.size
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
        words[13] = self.max_frame;
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
        words
    }

    /// Reads the entry at `offset`, checks it against the region's length and line, and answers
    /// with a private copy. `Err(None)` means a kind or a flag that this version does not know (skip it),
    /// `Err(Some(..))` says what is wrong.
    pub(crate) fn read(mem: &Mem, offset: u32, header: &Header) -> Result<Self, Option<&'static str>> {
        let mut words = [0; 32];
        for (i, word) in words.iter_mut().enumerate() {
            *word = mem.setup_read(offset + 4 * i as u32);
        }
        let kind = Kind::from_code(words[8]).filter(|_| words[9] == 0).ok_or(None)?;
        let name = Self::read_name(mem, offset);
        let entry = Self {
            name,
            kind,
            capacity: words[11],
            stride: words[12],
            max_frame: words[13],
            type_hash: u64::from(words[14]) | u64::from(words[15]) << 32,
            domain_a: words[16],
            domain_b: words[17],
            block_a: words[18],
            block_b: words[19],
            block_c: words[20],
            data: words[21],
            apart: header.payload != 0,
            wait_a: words[22],
            wait_b: words[23],
        };
        entry.check(header).map_err(Some)?;
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

    /// Checks that all of the entry's blocks lie behind the participants, aligned, and are as large as its
    /// geometry asks; where payload lies apart, on their side of where it starts.
    fn check(&self, header: &Header) -> Result<(), &'static str> {
        let (floor, line) = (header.floor(), header.line);
        let len = if self.apart { header.payload } else { header.total_len };
        if self.name().is_none() {
            return Err("name");
        }
        if !self.geometry().is_sound(line) {
            return Err("geometry");
        }
        let blocks = self.blocks(line).ok_or("geometry")?;
        let align = line.max(8);
        let lies = |offset: u32, size: u32| {
            offset >= floor
                && offset.is_multiple_of(align)
                && offset.checked_add(size).is_some_and(|end| end <= len)
        };
        let word = |offset: u32| offset >= floor && offset.is_multiple_of(4) && offset <= len - 4;
        if !lies(self.block_a, blocks.len_a) || !self.apart && self.data != self.block_a + blocks.data {
            return Err("block A");
        }
        let data_end = self.data.checked_add(blocks.len_data);
        if self.apart
            && (self.data < len
                || !self.data.is_multiple_of(align)
                || data_end.is_none_or(|end| end > header.total_len))
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
