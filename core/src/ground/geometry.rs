//! How large a channel's blocks are and where things are in them, for one line size.

use super::call;
use super::kind::Kind;
use super::offset;

/// The largest region: offsets and lengths stay below 2 GiB.
pub const MAX_REGION: u32 = 1 << 31;
/// Frames and byte rings are laid out in granules of this many bytes; a frame's header is one.
pub const GRANULE: u32 = 16;
/// The largest ring, in bytes or in slots, and the highest count.
pub const MAX_RING: u32 = 1 << 30;
/// Maximum number of permits, or blocks, of one channel: they are searched one by one.
pub const MAX_PERMITS: u32 = 4096;

/// Where things are within a channel's blocks, for one line size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Bytes of block A.
    pub len_a: u32,
    /// Offset in block A of the word `want_space`.
    pub want: u32,
    /// Bytes of block A before the data, if the payload is not split off; all of it, if it is.
    pub data: u32,
    /// Bytes of the data.
    pub len_data: u32,
    /// Bytes of block B.
    pub len_b: u32,
    /// Offset in block B of the answers of calls.
    pub answers: u32,
    /// Offset in block C of B's role words; A's are at 0.
    pub role_b: u32,
    /// Offset in block C of the permits' words, or of the words of a pool's blocks.
    pub permits: u32,
    /// Offset in block C of the word on which B sleeps, where the channel has one of its own.
    pub wait_b: u32,
    /// Offset in block C of the word on which A sleeps.
    pub wait_a: u32,
    /// Bytes of block C.
    pub len_c: u32,
}

impl Blocks {
    /// Where the blocks end if they start at `start` (without data that is split off); `None` from 2 GiB.
    pub(crate) const fn end(&self, start: u32) -> Option<u32> {
        self.end_of(start, 1)
    }

    /// Where the last of `count` such groups of blocks ends, one after the other.
    pub(crate) const fn end_of(&self, start: u32, count: u32) -> Option<u32> {
        let len = self.len_a as u64 + self.len_b as u64 + self.len_c as u64;
        let end = start as u64 + len * count as u64;
        if end < MAX_REGION as u64 { Some(end as u32) } else { None }
    }
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

/// Bytes from one buffer of a latest value, or slot of a broadcast, to the next: a header and the value, or with a split payload,
/// the value.
pub(crate) const fn latest_stride(size: u32, line: u32, split_payload: bool) -> Option<u32> {
    let used = if split_payload { size } else { some!(size.checked_add(offset::VALUE)) };
    round_up(used, max(line, GRANULE))
}

/// Bytes from one block of a pool to the next, for blocks of `size` bytes.
pub(crate) const fn block_stride(size: u32, line: u32) -> Option<u32> {
    round_up(size, max(line, GRANULE))
}

/// The geometry of a channel: everything that its blocks' sizes depend on.
#[derive(Clone, Copy)]
pub(crate) struct Geometry {
    pub kind: Kind,
    pub capacity: u32,
    pub stride: u32,
    pub max_len: u32,
    /// Of calls: the answer's size; otherwise 0.
    pub answer: u32,
    pub split_payload: bool,
}

impl Geometry {
    /// Whether the numbers can work together at all (if not, the plan is wrong or a peer misbehaves).
    pub const fn is_sound(&self, line: u32) -> bool {
        if self.capacity == 0 || self.capacity > MAX_RING {
            return false;
        }
        if !self.capacity.is_power_of_two() && !self.kind.is_lock() {
            return false;
        }
        if self.split_payload && !self.kind.can_split_payload() {
            return false;
        }
        match self.kind {
            Kind::Mutex => {
                self.capacity == 2
                    && self.max_len > 0
                    && matches!(round_up(self.max_len, max(line, 8)), Some(s) if s == self.stride)
            }
            Kind::Semaphore => self.stride == 0 && self.max_len <= self.capacity,
            Kind::Permits => self.stride == 0 && self.max_len == 0 && self.capacity <= MAX_PERMITS,
            Kind::Pool => {
                self.capacity <= MAX_PERMITS
                    && self.max_len > 0
                    && matches!(block_stride(self.max_len, line), Some(s) if s == self.stride)
            }
            Kind::Frames => {
                self.stride == GRANULE && self.capacity >= 4 * GRANULE && {
                    match round_up(self.max_len, GRANULE) {
                        // The worst place is just before the end: a pad of one granule less than
                        // the frame, the frame, and the granule that stays free.
                        Some(payload) => payload <= self.capacity / 2 - GRANULE,
                        None => false,
                    }
                }
            }
            Kind::Slots => {
                self.max_len > 0 && matches!(slot_stride(self.max_len, line), Some(s) if s == self.stride)
            }
            Kind::Compact => self.max_len > 0 && self.stride == self.max_len,
            Kind::Calls => {
                self.capacity <= call::MAX_PLACES
                    && self.max_len > 0
                    && self.answer > 0
                    && matches!(call::stride(self.max_len, line), Some(s) if s == self.stride)
            }
            Kind::Latest | Kind::Broadcast => {
                self.capacity >= 2
                    && self.capacity <= 1 << 16
                    && self.max_len > 0
                    && matches!(latest_stride(self.max_len, line, self.split_payload), Some(s) if s == self.stride)
            }
        }
    }

    /// Offsets of everything; `None` past 2^32 bytes.
    pub const fn blocks(&self, line: u32, own_wait_b: bool, own_wait_a: bool) -> Option<Blocks> {
        if !line.is_power_of_two() {
            return None;
        }
        let role = some!(round_up(12, line));
        let word = some!(round_up(4, line));
        let want = some!(round_up(16, line));
        let queue = self.kind.is_queue();
        let two_roles = self.kind.has_two_roles();
        let control = match self.kind {
            Kind::Latest | Kind::Broadcast if self.split_payload => {
                some!(offset::HEADERS.checked_add(some!(GRANULE.checked_mul(self.capacity))))
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
        let len_data =
            if self.split_payload { some!(round_up(bytes, max(line, 8))) } else { together - data };
        let len_a = if self.split_payload { data } else { together };
        let answers = some!(round_up(8, max(line, GRANULE)));
        let len_b = match self.kind {
            Kind::Calls => {
                let bytes = some!(self.capacity.checked_mul(some!(call::stride(self.answer, line))));
                some!(round_up(some!(answers.checked_add(bytes)), max(line, 8)))
            }
            _ if queue => some!(round_up(8, max(line, 8))),
            _ => 0,
        };
        let role_b = if two_roles { role } else { 0 };
        let permits = match self.kind {
            Kind::Permits => some!(round_up(4 * self.capacity, line)),
            Kind::Pool => some!(round_up(some!(offset::BLOCK_WORDS.checked_mul(self.capacity)), line)),
            _ => 0,
        };
        let wait_b = role_b + role + permits;
        let wait_a = wait_b + if own_wait_b { word } else { 0 };
        let end = wait_a + if own_wait_a { word } else { 0 };
        let len_c = some!(round_up(end, max(line, 8)));
        Some(Blocks {
            len_a,
            want,
            data,
            len_data,
            len_b,
            answers,
            role_b,
            permits: role,
            wait_b,
            wait_a,
            len_c,
        })
    }
}
