//! Plans: which channels a region has, and from that its size and every offset.

use core::fmt;

use super::entry::{
    Blocks, ENTRY_LEN, Entry, GRANULE, Geometry, Kind, MAX_RING, NAME_LEN, latest_stride, round_up,
    slot_stride,
};
use super::frame::{Frame, ValueType};
use super::header::{HEADER_LEN, PARTICIPANT_LEN};
use super::ident::Ident;

/// The largest region: offsets and lengths stay below 2 GiB.
pub const MAX_REGION: u32 = 1 << 31;

/// A channel of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Channel<'a> {
    name: &'a str,
    kind: Kind,
    capacity: u32,
    max_frame: usize,
    type_hash: u64,
    producer_may_block: bool,
    consumer_may_block: bool,
    doorbell: u32,
    domains: (u32, u32),
}

impl<'a> Channel<'a> {
    const fn new(name: &'a str, kind: Kind, capacity: u32, max_frame: usize, type_hash: u64) -> Self {
        Self {
            name,
            kind,
            capacity,
            max_frame,
            type_hash,
            producer_may_block: false,
            consumer_may_block: false,
            doorbell: 0,
            domains: (0, 0),
        }
    }

    /// A queue of frames of up to `max_frame` bytes in a ring of `capacity` bytes, a power of two.
    ///
    /// A frame takes 16 bytes more than its payload, rounded up to 16, and may take half the ring
    /// at most.
    #[must_use]
    pub const fn frames(name: &'a str, capacity: u32, max_frame: u32) -> Self {
        Self::new(name, Kind::Frames, capacity, max_frame as usize, 0)
    }

    /// A queue of up to `slots` values, a power of two, published in the slot: the fast one between
    /// cores with caches.
    ///
    /// A type with forbidden bit patterns cannot be sent:
    ///
    /// ```compile_fail,E0277
    /// let flags = strait_core::Channel::slots::<bool>("flags", 4);
    /// ```
    #[must_use]
    pub const fn slots<T: Frame>(name: &'a str, slots: u32) -> Self {
        Self::new(name, Kind::Slots, slots, size_of::<T>(), T::HASH)
    }

    /// As [`slots`](Self::slots), of a type that is known at run time.
    #[must_use]
    pub const fn slots_of(name: &'a str, slots: u32, values: ValueType) -> Self {
        Self::new(name, Kind::Slots, slots, values.size as usize, values.hash)
    }

    /// A queue of up to `slots` values, a power of two, published by index: no word per slot, for
    /// small values on one core or where memory is short.
    #[must_use]
    pub const fn compact<T: Frame>(name: &'a str, slots: u32) -> Self {
        Self::new(name, Kind::Compact, slots, size_of::<T>(), T::HASH)
    }

    /// As [`compact`](Self::compact), of a type that is known at run time.
    #[must_use]
    pub const fn compact_of(name: &'a str, slots: u32, values: ValueType) -> Self {
        Self::new(name, Kind::Compact, slots, values.size as usize, values.hash)
    }

    /// The latest value of type `T`, in two buffers.
    #[must_use]
    pub const fn latest<T: Frame>(name: &'a str) -> Self {
        Self::new(name, Kind::Latest, 2, size_of::<T>(), T::HASH)
    }

    /// As [`latest`](Self::latest), of a type that is known at run time.
    #[must_use]
    pub const fn latest_of(name: &'a str, values: ValueType) -> Self {
        Self::new(name, Kind::Latest, 2, values.size as usize, values.hash)
    }

    /// The latest value of up to `max_frame` bytes, in two buffers.
    #[must_use]
    pub const fn latest_bytes(name: &'a str, max_frame: u32) -> Self {
        Self::new(name, Kind::Latest, 2, max_frame as usize, 0)
    }

    /// A value of type `T` under a lock.
    #[must_use]
    pub const fn mutex<T: Frame>(name: &'a str) -> Self {
        Self::new(name, Kind::Mutex, 2, size_of::<T>(), T::HASH)
    }

    /// As [`mutex`](Self::mutex), of a type that is known at run time.
    #[must_use]
    pub const fn mutex_of(name: &'a str, value: ValueType) -> Self {
        Self::new(name, Kind::Mutex, 2, value.size as usize, value.hash)
    }

    /// A semaphore that counts from `initial` up to `most`, 1 to 2^30. Its count belongs to nobody: what
    /// a process had acquired when it died is gone.
    #[must_use]
    pub const fn semaphore(name: &'a str, initial: u32, most: u32) -> Self {
        Self::new(name, Kind::Semaphore, most, initial as usize, 0)
    }

    /// A semaphore of `count` permits, 1 to 4096, each of which knows its holder and comes back if that
    /// dies.
    #[must_use]
    pub const fn permits(name: &'a str, count: u32) -> Self {
        Self::new(name, Kind::Permits, count, 0, 0).consumer_may_block()
    }

    /// Keeps a latest value in `count` buffers, a power of two: a reader may be interrupted for
    /// `count - 1` writes before it has to try again.
    #[must_use]
    pub const fn buffers(mut self, count: u32) -> Self {
        if matches!(self.kind, Kind::Latest) {
            self.capacity = count;
        }
        self
    }

    /// Lets the consumer (of a latest value: readers that can write to the region) sleep for data.
    /// The sender then looks at one more word after each send. Of a mutex: those who wait for a change
    /// of the value.
    #[must_use]
    pub const fn consumer_may_block(mut self) -> Self {
        self.consumer_may_block = true;
        self
    }

    /// Lets the producer sleep for space.
    #[must_use]
    pub const fn producer_may_block(mut self) -> Self {
        self.producer_may_block = true;
        self
    }

    /// Lets the consumer sleep on doorbell `number` (from 1), which all channels with that number
    /// share, so that one receiver can wait for any of them.
    #[must_use]
    pub const fn doorbell(mut self, number: u32) -> Self {
        self.consumer_may_block = true;
        self.doorbell = number;
        self
    }

    /// Assigns the producer's (or writer's) and the consumer's role to domains: 0 and 0 unless set. A role
    /// is claimed, and taken over from the dead, within its domain alone. A latest value may be read from
    /// anywhere. A lock of two domains needs a port with a [hardware lock](crate::Port::hardware_lock).
    #[must_use]
    pub const fn domains(mut self, producer: u32, consumer: u32) -> Self {
        self.domains = (producer, consumer);
        self
    }

    const fn geometry(&self, line: u32, apart: bool) -> Result<Geometry, Fault> {
        if apart && !self.kind.can_lie_apart() {
            return Err(Fault::Apart);
        }
        if self.max_frame >= MAX_REGION as usize {
            return Err(Fault::TooLarge);
        }
        let max_frame = self.max_frame as u32;
        let stride = match self.kind {
            Kind::Frames => Some(GRANULE),
            Kind::Slots => slot_stride(max_frame, line),
            Kind::Compact => Some(max_frame),
            Kind::Latest => latest_stride(max_frame, line, apart),
            Kind::Mutex => round_up(max_frame, if line > 8 { line } else { 8 }),
            Kind::Semaphore | Kind::Permits => Some(0),
        };
        let Some(stride) = stride else { return Err(Fault::TooLarge) };
        let geometry = Geometry { kind: self.kind, capacity: self.capacity, stride, max_frame, apart };
        if !self.capacity.is_power_of_two() && !self.kind.is_lock() || self.capacity > MAX_RING {
            return Err(Fault::Capacity);
        }
        if !geometry.is_sound(line) {
            return Err(Fault::Geometry);
        }
        Ok(geometry)
    }

    const fn padded_name(&self) -> Result<[u8; NAME_LEN], Fault> {
        let bytes = self.name.as_bytes();
        if bytes.is_empty() || bytes.len() >= NAME_LEN {
            return Err(Fault::Name);
        }
        let mut name = [0; NAME_LEN];
        let mut i = 0;
        while i < bytes.len() {
            if bytes[i] == 0 || bytes[i] == b'/' {
                return Err(Fault::Name);
            }
            name[i] = bytes[i];
            i += 1;
        }
        Ok(name)
    }
}

/// Which channels a region has. Everything about it can be computed at compile time, or at run time
/// where there are more than a few hundred channels.
///
/// ```
/// use strait_core::{Channel, Plan};
/// const PLAN: Plan = Plan::new(&[
///     Channel::frames("commands", 4096, 256).consumer_may_block(),
///     Channel::latest::<f64>("angle"),
/// ]);
/// const SIZE: usize = PLAN.size();
/// assert_eq!(SIZE % 128, 0);
/// ```
///
/// A plan that cannot work is refused at compile time where its size is asked for there:
///
/// ```compile_fail
/// use strait_core::{Channel, Plan};
/// // A frame may take half the ring at most.
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 256, 200)]);
/// const SIZE: usize = PLAN.size();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    channels: &'a [Channel<'a>],
    line: u32,
    participants: u32,
    /// What the payload's start is a multiple of; 0 if it does not lie apart.
    apart: u32,
}

/// Where the next channel's blocks and, if it lies apart, its payload start.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    blocks: u32,
    payload: u32,
}

impl<'a> Plan<'a> {
    /// A plan with lines of 128 bytes and 32 participants.
    #[must_use]
    pub const fn new(channels: &'a [Channel<'a>]) -> Self {
        Self { channels, line: 128, participants: 32, apart: 0 }
    }

    /// Keeps words of different writers `bytes` apart: a power of two from 4 (one core, no cache)
    /// to 4096 (pages).
    #[must_use]
    pub const fn line(mut self, bytes: u32) -> Self {
        self.line = bytes;
        self
    }

    /// Makes room for `count` participants at once, of each domain that the channels name: 1 to 511 in
    /// all. They are places of their own, for joining compares and swaps, which two domains cannot do with
    /// one word.
    #[must_use]
    pub const fn participants(mut self, count: u32) -> Self {
        self.participants = count;
        self
    }

    /// Keeps all payload behind all control words, from a multiple of `boundary` bytes on (a power of two
    /// from 8 to 2^20: a page, or what a memory protection unit asks for), so that control words can lie
    /// in uncached memory and payload in cached memory; see [`Cache`](crate::Cache). There can only be
    /// compact queues and latest values then, and a port without such a cache is refused.
    #[must_use]
    pub const fn apart(mut self, boundary: u32) -> Self {
        // None is no power of two.
        self.apart = if boundary == 0 { 3 } else { boundary };
        self
    }

    /// The offset from which on there is only payload; 0 if it does not lie [apart](Self::apart).
    ///
    /// # Panics
    ///
    /// As [`size`](Self::size).
    #[must_use]
    pub const fn payload_start(&self) -> usize {
        let _ = self.size();
        match self.start() {
            Ok(start) => start.payload as usize,
            Err(_) => 0,
        }
    }

    /// What the region's memory must be aligned to.
    pub(crate) const fn align(&self) -> u32 {
        let align = if self.line > self.apart { self.line } else { self.apart };
        if align > 8 { align } else { 8 }
    }

    /// The channels.
    #[must_use]
    pub const fn channels(&self) -> &'a [Channel<'a>] {
        self.channels
    }

    pub(crate) const fn line_size(&self) -> u32 {
        self.line
    }

    /// The places in the participant table.
    pub(crate) const fn participant_count(&self) -> u32 {
        let mut domains = 0_u32;
        let mut last = None;
        while let Some(domain) = self.domain_after(last) {
            domains += 1;
            last = Some(domain);
        }
        domains.saturating_mul(self.participants)
    }

    /// The lowest domain above `last` that has places: one that a channel names, or 0 if there is no
    /// channel.
    pub(crate) const fn domain_after(&self, last: Option<u32>) -> Option<u32> {
        let mut lowest = None;
        let mut i = 0;
        while i < self.channels.len() {
            let (a, b) = self.channels[i].domains;
            lowest = lower_above(last, lower_above(last, lowest, a), b);
            i += 1;
        }
        if self.channels.is_empty() { lower_above(last, None, 0) } else { lowest }
    }

    /// How many places each domain has.
    pub(crate) const fn places_each(&self) -> u32 {
        self.participants
    }

    /// The region's size in bytes.
    ///
    /// # Panics
    ///
    /// If the plan cannot work, which in a constant is an error of compilation. At run time use
    /// [`try_size`](Self::try_size).
    #[must_use]
    pub const fn size(&self) -> usize {
        match self.try_size() {
            Ok(size) => size as usize,
            Err(error) => match error.fault {
                Fault::Name => panic!("a channel's name must have 1 to 31 bytes, no slash and no NUL"),
                Fault::Duplicate => panic!("two channels have the same name"),
                Fault::Capacity => panic!("a capacity must be a power of two, 1 to 2^30"),
                Fault::Geometry => panic!("a channel's capacity and frame size do not fit together"),
                Fault::Line => panic!("the line must be a power of two from 4 to 4096"),
                Fault::Participants => panic!("a region has 1 to 511 participants, all domains together"),
                Fault::TooLarge => panic!("the region would be 2 GiB or more"),
                Fault::Apart => panic!("payload lies apart of compact queues and latest values alone"),
            },
        }
    }

    /// The region's size in bytes.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if the plan cannot work; it says which channel is to blame, and why.
    pub const fn try_size(&self) -> Result<u32, PlanError> {
        let mut end = match self.start() {
            Ok(start) => start,
            Err(error) => return Err(error),
        };
        let mut i = 0;
        while i < self.channels.len() {
            end = match self.place(i, end) {
                Ok((_, next)) => next,
                Err(error) => return Err(error),
            };
            i += 1;
        }
        Ok(if self.apart == 0 { end.blocks } else { end.payload })
    }

    /// Where the first channel's blocks start, and its payload if that lies apart: behind all blocks.
    pub(crate) const fn start(&self) -> Result<Cursor, PlanError> {
        let blocks = match self.channels_start() {
            Ok(start) => start,
            Err(error) => return Err(error),
        };
        if self.apart == 0 {
            return Ok(Cursor { blocks, payload: 0 });
        }
        if !self.apart.is_power_of_two() || self.apart < 8 || self.apart > 1 << 20 {
            return Err(PlanError::plan(Fault::Apart));
        }
        let mut end = blocks;
        let mut i = 0;
        while i < self.channels.len() {
            end = match self.measure(i) {
                Ok((_, blocks)) => match blocks.end(end) {
                    Some(end) => end,
                    None => return Err(PlanError { channel: Some(i), fault: Fault::TooLarge }),
                },
                Err(fault) => return Err(PlanError { channel: Some(i), fault }),
            };
            i += 1;
        }
        match round_up(end, self.align()) {
            Some(payload) if payload < MAX_REGION => Ok(Cursor { blocks, payload }),
            _ => Err(PlanError::plan(Fault::TooLarge)),
        }
    }

    /// Where the first channel's blocks start.
    pub(crate) const fn channels_start(&self) -> Result<u32, PlanError> {
        if !self.line.is_power_of_two() || self.line < 4 || self.line > 4096 {
            return Err(PlanError::plan(Fault::Line));
        }
        if self.channels.len() > (MAX_REGION / ENTRY_LEN) as usize / 2 {
            return Err(PlanError::plan(Fault::TooLarge));
        }
        let participants = self.participant_count();
        if participants == 0 || participants > Ident::MAX_SLOT {
            return Err(PlanError::plan(Fault::Participants));
        }
        let end = self.participants_start() + participants * PARTICIPANT_LEN;
        match round_up(end, if self.line < 8 { 8 } else { self.line }) {
            Some(start) if start < MAX_REGION => Ok(start),
            _ => Err(PlanError::plan(Fault::TooLarge)),
        }
    }

    /// Where the participant table starts.
    pub(crate) const fn participants_start(&self) -> u32 {
        let end = HEADER_LEN + self.channels.len() as u32 * ENTRY_LEN;
        match round_up(end, if self.line < 64 { 64 } else { self.line }) {
            Some(start) => start,
            None => MAX_REGION,
        }
    }

    /// The entry of channel `i`, which starts at `start`, and where the next one starts.
    pub(crate) const fn place(&self, i: usize, start: Cursor) -> Result<(Entry, Cursor), PlanError> {
        match self.place_inner(i, start) {
            Ok(placed) => Ok(placed),
            Err(fault) => Err(PlanError { channel: Some(i), fault }),
        }
    }

    const fn place_inner(&self, i: usize, cursor: Cursor) -> Result<(Entry, Cursor), Fault> {
        let start = cursor.blocks;
        let channel = &self.channels[i];
        let name = match channel.padded_name() {
            Ok(name) => name,
            Err(fault) => return Err(fault),
        };
        let mut other = 0;
        while other < i {
            if same(self.channels[other].name, channel.name) {
                return Err(Fault::Duplicate);
            }
            other += 1;
        }
        let (geometry, blocks) = match self.measure(i) {
            Ok(measure) => measure,
            Err(fault) => return Err(fault),
        };
        let end = match blocks.end(start) {
            Some(end) => end,
            None => return Err(Fault::TooLarge),
        };
        let wait_b = match self.wait_word(i, start) {
            Ok(offset) => offset,
            Err(fault) => return Err(fault),
        };
        let payload = match cursor.payload.checked_add(blocks.len_data) {
            _ if self.apart == 0 => 0,
            Some(payload) if payload < MAX_REGION => payload,
            _ => return Err(Fault::TooLarge),
        };
        let block_b = start + blocks.len_a;
        let block_c = block_b + blocks.len_b;
        let entry = Entry {
            name,
            kind: channel.kind,
            capacity: geometry.capacity,
            stride: geometry.stride,
            max_frame: geometry.max_frame,
            type_hash: channel.type_hash,
            domain_a: channel.domains.0,
            domain_b: channel.domains.1,
            block_a: start,
            block_b: if blocks.len_b == 0 { 0 } else { block_b },
            block_c,
            data: if self.apart == 0 { start + blocks.data } else { cursor.payload },
            apart: self.apart != 0,
            wait_a: if channel.producer_may_block { block_c + blocks.wait_a } else { 0 },
            wait_b,
        };
        Ok((entry, Cursor { blocks: end, payload }))
    }

    const fn measure(&self, i: usize) -> Result<(Geometry, Blocks), Fault> {
        let channel = &self.channels[i];
        let geometry = match channel.geometry(self.line, self.apart != 0) {
            Ok(geometry) => geometry,
            Err(fault) => return Err(fault),
        };
        let own_wait_b = channel.consumer_may_block && self.bell_owner(i) == i;
        match geometry.blocks(self.line, own_wait_b, channel.producer_may_block) {
            Some(blocks) => Ok((geometry, blocks)),
            None => Err(Fault::TooLarge),
        }
    }

    /// The offset of the word on which the consumer of channel `i` sleeps, whose blocks start at
    /// `start`; 0 if it may not.
    const fn wait_word(&self, i: usize, start: u32) -> Result<u32, Fault> {
        if !self.channels[i].consumer_may_block {
            return Ok(0);
        }
        let owner = self.bell_owner(i);
        let mut at = start;
        if owner != i {
            at = match self.channels_start() {
                Ok(start) => start,
                Err(error) => return Err(error.fault),
            };
            let mut before = 0;
            while before < owner {
                at = match self.measure(before) {
                    Ok((_, blocks)) => match blocks.end(at) {
                        Some(end) => end,
                        None => return Err(Fault::TooLarge),
                    },
                    Err(fault) => return Err(fault),
                };
                before += 1;
            }
        }
        match self.measure(owner) {
            Ok((_, blocks)) => Ok(at + blocks.len_a + blocks.len_b + blocks.wait_b),
            Err(fault) => Err(fault),
        }
    }

    /// The channel whose wait word channel `i` uses: the first with its doorbell, or itself.
    const fn bell_owner(&self, i: usize) -> usize {
        let bell = self.channels[i].doorbell;
        let mut first = 0;
        while bell != 0 && first < i {
            if self.channels[first].doorbell == bell {
                return first;
            }
            first += 1;
        }
        i
    }
}

/// The lower one of `lowest` and `domain`, if that is above `last`.
const fn lower_above(last: Option<u32>, lowest: Option<u32>, domain: u32) -> Option<u32> {
    if matches!(last, Some(last) if domain <= last) || matches!(lowest, Some(lowest) if domain >= lowest) {
        lowest
    } else {
        Some(domain)
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

/// Why a plan cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A name is empty, longer than 31 bytes, or holds a slash or a NUL.
    Name,
    /// Two channels have the same name.
    Duplicate,
    /// A capacity is not a power of two from 1 to 2^30.
    Capacity,
    /// Capacity and frame size do not fit together.
    Geometry,
    /// The line size is not a power of two from 4 to 4096.
    Line,
    /// Not 1 to 511 participants, all domains together.
    Participants,
    /// The region would reach 2 GiB.
    TooLarge,
    /// Payload is to lie apart, of a channel that publishes in its payload, or is locked; or the boundary
    /// is not a power of two from 8 to 2^20.
    Apart,
}

/// A plan that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The channel to blame, by its place in the plan, or `None` for the plan as a whole.
    pub channel: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

impl PlanError {
    const fn plan(fault: Fault) -> Self {
        Self { channel: None, fault }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(channel) = self.channel {
            write!(f, "channel {channel} of the plan: ")?;
        }
        f.write_str(match self.fault {
            Fault::Name => "a name must have 1 to 31 bytes, no slash and no NUL",
            Fault::Duplicate => "another channel has the same name",
            Fault::Capacity => "the capacity must be a power of two, 1 to 2^30",
            Fault::Geometry => {
                "capacity and frame size do not fit: a frame with its 16-byte header may take half \
                 the ring at most, a type must not be empty, a latest value needs 2 buffers or more"
            }
            Fault::Line => "the line must be a power of two from 4 to 4096",
            Fault::Participants => "a region has 1 to 511 participants, all domains together",
            Fault::TooLarge => "the region would reach 2 GiB; make the channels smaller",
            Fault::Apart => {
                "payload lies apart of compact queues and latest values alone, from a power of two of 8 to \
                 2^20 bytes on; send frames as values of one size, and put locks elsewhere"
            }
        })
    }
}

impl core::error::Error for PlanError {}
