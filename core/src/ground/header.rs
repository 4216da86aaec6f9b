//! The region's header, and checking it at attach.

use core::fmt;

use super::crc::Crc;
use super::entry::{ENTRY_LEN, Entry, Limits, NAME_LEN};
use super::geometry::MAX_REGION;
use super::ident::Ident;
use super::port::Cache;
use super::sync::Mem;
use super::sync::order::magic;

/// Bytes of the header.
pub const HEADER_LEN: u32 = 128;
/// Bytes of a participant's place.
pub const PARTICIPANT_LEN: u32 = 64;
/// Offset, in a participant's place, of the domain that the place belongs to.
pub(crate) const PARTICIPANT_DOMAIN: u32 = 4;
/// The format's version, frozen; FORMAT.md lists what may be added to it. Any other version is refused at
/// attach.
pub const VERSION: u32 = 1;
/// "STRT", read as a little-endian word.
pub const MAGIC: u32 = u32::from_le_bytes(*b"STRT");

/// Byte offsets of the header's words.
pub mod at {
    /// [`MAGIC`](super::MAGIC); written last.
    pub const MAGIC: u32 = 0;
    /// The format's version.
    pub const VERSION: u32 = 4;
    /// Bytes of the header; the directory follows it.
    pub const HEADER_LEN: u32 = 8;
    /// Bytes of a directory entry.
    pub const ENTRY_LEN: u32 = 12;
    /// Bytes of the region.
    pub const TOTAL_LEN: u32 = 16;
    /// Features that a reader may ignore.
    pub const COMPAT: u32 = 20;
    /// Features that a reader must know.
    pub const INCOMPAT: u32 = 24;
    /// The instance id, low word, then high word.
    pub const INSTANCE: u32 = 28;
    /// FNV-1a of the directory's words, low word, then high word; for display.
    pub const PLAN_HASH: u32 = 36;
    /// The padding between words of different writers.
    pub const LINE: u32 = 44;
    /// Offset of the participant table.
    pub const PARTICIPANTS: u32 = 48;
    /// Slots of the participant table.
    pub const PARTICIPANT_COUNT: u32 = 52;
    /// Channels in the directory.
    pub const CHANNEL_COUNT: u32 = 56;
    /// CRC-32C over header and directory, this word taken as 0 and the magic as set.
    pub const CRC: u32 = 60;
    /// Offset from which on there is only payload; 0 unless [`APART`](super::APART) is set.
    pub const PAYLOAD: u32 = 64;
    /// Offset of the description; 0 unless [`DESCRIBED`](crate::ground::describe::DESCRIBED) is set.
    pub const DESCRIPTION: u32 = 68;
    /// Bytes of the description's block.
    pub const DESCRIPTION_LEN: u32 = 72;
    /// From here to the header's end: zero.
    pub const RESERVED: u32 = 76;
}

/// Feature that a reader must know: all payload is behind all control words.
pub const APART: u32 = 1;
/// Features that a reader must know, and this one does.
const KNOWN_INCOMPAT: u32 = APART;

/// The header as it was found at attach: copied out and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format's version.
    pub version: u32,
    /// Bytes of the region.
    pub total_len: u32,
    /// Features that a reader may ignore.
    pub compat: u32,
    /// The region's instance, from entropy that its creator supplied.
    pub instance: u64,
    /// A hash of the plan, for display.
    pub plan_hash: u64,
    /// The padding between words of different writers.
    pub line: u32,
    /// Offset of the participant table.
    pub participants: u32,
    /// Slots of the participant table.
    pub participant_count: u32,
    /// Channels in the directory.
    pub channel_count: u32,
    /// Offset from which on there is only payload; 0 if each channel's payload is next to its control
    /// words.
    pub payload: u32,
}

/// CRC-32C over the header and `channels` entries.
pub(super) fn checksum(mem: &Mem, channels: u32) -> u32 {
    let mut crc = Crc::new().word(MAGIC);
    for offset in (4..HEADER_LEN + channels * ENTRY_LEN).step_by(4) {
        crc = crc.word(if offset == at::CRC { 0 } else { mem.setup_read(offset) });
    }
    crc.finish()
}

impl Header {
    /// Checks a region's memory and copies its header out, in the order that FORMAT.md gives: host,
    /// alignment, length, magic, version, features, total length, geometry, checksum. Takes steps
    /// in proportion to the number of channels, which the length bounds.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check(mem: &Mem) -> Result<Self, AttachError> {
        if cfg!(target_endian = "big") {
            return Err(AttachError::BigEndianHost);
        }
        if !mem.is_aligned(Mem::ALIGN) {
            return Err(AttachError::Misaligned { align: Mem::ALIGN as u32 });
        }
        if mem.len() < HEADER_LEN {
            return Err(AttachError::TooShort { needed: HEADER_LEN, found: mem.len() });
        }
        // ORDERING(magic): the header was complete before the magic was stored.
        match mem.word(at::MAGIC).map_or(0, |word| word.load(magic::LOAD)) {
            MAGIC => {}
            0 => return Err(AttachError::Uninitialised),
            found if found == MAGIC.swap_bytes() => return Err(AttachError::ByteOrder),
            _ => return Err(AttachError::NotARegion),
        }
        let word = |offset| mem.setup_read(offset);
        let wide = |offset| u64::from(word(offset)) | u64::from(word(offset + 4)) << 32;
        let version = word(at::VERSION);
        if version != VERSION {
            return Err(AttachError::Version { found: version });
        }
        let incompat = word(at::INCOMPAT);
        let unknown = incompat & !KNOWN_INCOMPAT;
        if unknown != 0 {
            return Err(AttachError::Features { unknown });
        }
        let header = Self {
            version,
            total_len: word(at::TOTAL_LEN),
            compat: word(at::COMPAT),
            instance: wide(at::INSTANCE),
            plan_hash: wide(at::PLAN_HASH),
            line: word(at::LINE),
            participants: word(at::PARTICIPANTS),
            participant_count: word(at::PARTICIPANT_COUNT),
            channel_count: word(at::CHANNEL_COUNT),
            payload: if incompat & APART != 0 { word(at::PAYLOAD) } else { 0 },
        };
        if incompat & APART != 0 && header.payload == 0 {
            return Err(AttachError::Header);
        }
        header.check_numbers(mem)?;
        if word(at::HEADER_LEN) != HEADER_LEN || word(at::ENTRY_LEN) != ENTRY_LEN {
            return Err(AttachError::Header);
        }
        if checksum(mem, header.channel_count) != word(at::CRC) {
            return Err(AttachError::Checksum);
        }
        Ok(header)
    }

    fn check_numbers(&self, mem: &Mem) -> Result<(), AttachError> {
        if self.total_len > mem.len() {
            return Err(AttachError::TooShort { needed: self.total_len, found: mem.len() });
        }
        let line_ok = self.line.is_power_of_two() && (4..=4096).contains(&self.line);
        let directory = u64::from(HEADER_LEN) + u64::from(self.channel_count) * u64::from(ENTRY_LEN);
        let participants =
            u64::from(self.participants) + u64::from(self.participant_count) * u64::from(PARTICIPANT_LEN);
        let places_ok = directory <= u64::from(self.participants)
            && participants <= u64::from(self.total_len)
            && self.participants.is_multiple_of(4)
            && (1..=Ident::MAX_PLACE).contains(&self.participant_count)
            && self.total_len < MAX_REGION;
        let payload_ok = self.payload == 0
            || (participants..=u64::from(self.total_len)).contains(&u64::from(self.payload))
                && self.payload.is_multiple_of(self.line.max(Mem::ALIGN as u32));
        if !line_ok || !places_ok || !payload_ok {
            return Err(AttachError::Header);
        }
        let align = self.line.max(Mem::ALIGN as u32);
        if !mem.is_aligned(align as usize) {
            return Err(AttachError::Misaligned { align });
        }
        Ok(())
    }

    /// Checks that the region is laid out for a port with this cache, or without one.
    pub(crate) fn check_cache(&self, cache: Option<Cache>) -> Result<(), AttachError> {
        let Some(cache) = cache else {
            return if self.payload == 0 { Ok(()) } else { Err(AttachError::Apart) };
        };
        if self.payload == 0 {
            return Err(AttachError::Mixed);
        }
        if self.line < cache.line {
            return Err(AttachError::Line { needed: cache.line, found: self.line });
        }
        if self.payload > cache.from {
            return Err(AttachError::Cached { from: cache.from, payload: self.payload });
        }
        Ok(())
    }

    /// The limits against which the directory's entries are checked.
    fn limits(&self) -> Limits {
        Limits {
            total_len: self.total_len,
            floor: self.participants_end(),
            line: self.line,
            payload: self.payload,
        }
    }

    /// Where the participant table ends.
    pub(super) fn participants_end(&self) -> u32 {
        self.participants + self.participant_count * PARTICIPANT_LEN
    }

    /// The offset of a participant's place, from 1 to the table's count.
    #[must_use]
    pub fn participant(&self, place: u32) -> Option<u32> {
        let index = place.checked_sub(1).filter(|_| place <= self.participant_count)?;
        self.participants.checked_add(index.checked_mul(PARTICIPANT_LEN)?)
    }

    /// The channels that this version knows and whose entries are sound, in the directory's order.
    pub fn channels<'m>(&self, mem: &'m Mem) -> impl Iterator<Item = Entry> + use<'m> {
        let header = *self;
        (0..header.channel_count).filter_map(move |i| header.entry(mem, i).ok())
    }

    /// The entry of channel `i`.
    pub(crate) fn entry(&self, mem: &Mem, i: u32) -> Result<Entry, Option<&'static str>> {
        Entry::read(mem, HEADER_LEN + i * ENTRY_LEN, &self.limits())
    }

    /// Whether the entry of channel `i`, sound or not, has this name.
    pub(crate) fn is_named(&self, mem: &Mem, i: u32, name: &str) -> bool {
        let mut padded = [0; NAME_LEN];
        let Some(start) = padded.get_mut(..name.len()) else { return false };
        start.copy_from_slice(name.as_bytes());
        // Most names differ in their first words.
        let mut words = (HEADER_LEN + i * ENTRY_LEN..).step_by(4).zip(padded.chunks_exact(4));
        words.all(|(at, word)| mem.setup_read(at).to_le_bytes() == *word)
    }
}

/// Error of an attach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttachError {
    /// The format is little-endian, and so must the host be.
    BigEndianHost,
    /// The memory does not start at a multiple of `align`.
    Misaligned {
        /// The alignment asked for: the region's line, at least 8.
        align: u32,
    },
    /// The memory is shorter than a header, or than the length in the header.
    TooShort {
        /// How long it should be.
        needed: u32,
        /// How long it is.
        found: u32,
    },
    /// There is no magic yet: the creator has not finished, or died before it finished.
    Uninitialised,
    /// The magic stands there backwards: the region was made by a big-endian machine.
    ByteOrder,
    /// The magic is something else: this is not a strait region.
    NotARegion,
    /// The region has another version of the format.
    Version {
        /// The version found.
        found: u32,
    },
    /// The region has features that this version does not know.
    Features {
        /// Their bits.
        unknown: u32,
    },
    /// The header contradicts itself.
    Header,
    /// Header and directory do not match their checksum.
    Checksum,
    /// The port's cache is not coherent with other domains, and the region's control words are among its
    /// payload.
    Mixed,
    /// The region splits its payload off, for domains whose caches are not coherent, and the port names
    /// no cache.
    Apart,
    /// The region keeps words of different writers less than a line of the port's cache apart.
    Line {
        /// The cache's line.
        needed: u32,
        /// The region's.
        found: u32,
    },
    /// The port caches memory that holds control words.
    Cached {
        /// The offset from which on the port caches.
        from: u32,
        /// The offset from which on there are no control words.
        payload: u32,
    },
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BigEndianHost => f.write_str("strait's regions must be on a little-endian machine, and this one is big-endian"),
            Self::Misaligned { align } => write!(f, "the region's memory must start at a multiple of {align} bytes"),
            Self::TooShort { needed, found } => {
                write!(f, "the region has {found} bytes but needs {needed}: it was cut short; make it anew")
            }
            Self::Uninitialised => f.write_str(
                "the region is not initialised: its creator has not finished, or died; try again, or find out \
                 whose it is",
            ),
            Self::ByteOrder => f.write_str("the region was made by a machine of the other byte order; make it on a little-endian one"),
            Self::NotARegion => f.write_str("this is not a strait region; check the name, path or memory"),
            Self::Version { found } => write!(
                f,
                "the region has format version {found}, this program knows {VERSION}; rebuild one of them"
            ),
            Self::Features { unknown } => {
                write!(f, "the region has features that this program does not know ({unknown:#x}); rebuild it with a newer strait")
            }
            Self::Header => f.write_str("the region's header contradicts itself: it was damaged; make the region anew"),
            Self::Checksum => f.write_str("the region's header does not match its checksum: it was damaged; make the region anew"),
            Self::Mixed => f.write_str(
                "the port's cache is not coherent, and the region's control words are among its payload; plan it with \
                 `split_payload`",
            ),
            Self::Apart => f.write_str(
                "the region splits its payload off for non-coherent caches; the port must name its cache",
            ),
            Self::Line { needed, found } => {
                write!(f, "the port's cache has lines of {needed} bytes, the plan of {found}; plan for more")
            }
            Self::Cached { from, payload } => write!(
                f,
                "the port caches from {from} on, and the region has control words up to {payload}; leave them uncached"
            ),
        }
    }
}

impl core::error::Error for AttachError {}
