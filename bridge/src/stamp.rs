//! What goes with each message over Zenoh, as its attachment: 56 bytes, little-endian.
//!
//! ```text
//! at  bytes
//!  0  4  "stb1"
//!  4  4  flags: 1 = this bridge took its role over from a dead one, so that messages may come again; bits 8 to 15:
//!        as many messages as 2 to this power may be ahead of a receiving bridge
//!  8  4  the message's tag
//! 12  4  its number in its channel, or lane, of the sending region, modulo 2^32
//! 16  8  the hash of its type; 0 of bytes without a type
//! 24  8  the source: the instance of the sending region plus the lane
//! 32  8  the run: names one start of one bridge
//! 40  8  its number among the messages of this run under this key, from 0
//! 48  8  when it was sent, in nanoseconds since 1970
//! ```
//!
//! In Python: `struct.unpack("<4sIIIQQQQQ", sample.attachment.to_bytes())`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::window::{LEAST, MOST};

/// Bytes of a stamp.
pub const LEN: usize = 56;

/// Set in [`Stamp::flags`] by a bridge that took over from a dead one.
pub const TAKEN_OVER: u32 = 1;

/// Where in [`Stamp::flags`] the power is.
const AHEAD_SHIFT: u32 = 8;

const MAGIC: [u8; 4] = *b"stb1";

/// An attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stamp {
    /// See the table of this module.
    pub flags: u32,
    /// The message's tag.
    pub tag: u32,
    /// Its number in its channel or lane.
    pub sequence: u32,
    /// The hash of its type.
    pub hash: u64,
    /// The sending region's instance plus the lane.
    pub source: u64,
    /// One start of one bridge.
    pub run: u64,
    /// Its number in that run, under its key.
    pub order: u64,
    /// When it was sent.
    pub sent_ns: u64,
}

/// The flags that say how many messages may be ahead: a power of two.
pub fn flags_of_ahead(ahead: u32) -> u32 {
    ahead.trailing_zeros() << AHEAD_SHIFT
}

impl Stamp {
    /// How many messages of its run may be ahead of a receiving bridge. A power that no bridge sends becomes the nearest
    /// one.
    pub fn ahead(&self) -> u64 {
        1 << (self.flags >> AHEAD_SHIFT & 0xff).clamp(LEAST, MOST)
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        for (at, word) in [(4, self.flags), (8, self.tag), (12, self.sequence)] {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let wide = [(16, self.hash), (24, self.source), (32, self.run), (40, self.order), (48, self.sent_ns)];
        for (at, word) in wide {
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The stamp of these bytes; `None` if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.try_into().ok()?;
        if bytes[..4] != MAGIC {
            return None;
        }
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let wide = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        Some(Self {
            flags: word(4),
            tag: word(8),
            sequence: word(12),
            hash: wide(16),
            source: wide(24),
            run: wide(32),
            order: wide(40),
            sent_ns: wide(48),
        })
    }
}

/// Nanoseconds since 1970.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{LEN, Stamp, TAKEN_OVER, flags_of_ahead};

    #[test]
    fn a_stamp_comes_back_and_nothing_else_is_one() {
        let stamp = Stamp {
            flags: 1,
            tag: 2,
            sequence: u32::MAX,
            hash: u64::MAX - 1,
            source: 5 << 40,
            run: 6 << 50,
            order: 7 << 60,
            sent_ns: 8,
        };
        let bytes = stamp.to_bytes();
        assert_eq!(Stamp::from_bytes(&bytes), Some(stamp));
        assert_eq!(Stamp::from_bytes(&bytes[..LEN - 1]), None);
        assert_eq!(Stamp::from_bytes(&[bytes.as_slice(), &[0]].concat()), None);
        assert_eq!(Stamp::from_bytes(&[0; LEN]), None);
        assert_eq!(Stamp::from_bytes(&[]), None);
    }

    #[test]
    fn the_flags_say_how_many_may_be_ahead_and_lies_are_bounded() {
        for ahead in [64, 512, 8192] {
            let stamp = Stamp { flags: TAKEN_OVER | flags_of_ahead(ahead), ..Stamp::default() };
            assert_eq!(stamp.ahead(), u64::from(ahead));
        }
        assert_eq!(Stamp::default().ahead(), 64);
        assert_eq!(Stamp { flags: u32::MAX, ..Stamp::default() }.ahead(), 8192);
    }

    /// The table at the head of this module is what other languages read by.
    #[test]
    fn the_bytes_are_where_the_table_says() {
        let stamp = Stamp { tag: 0x0102_0304, run: 0x0a, sent_ns: 0xff << 56, ..Stamp::default() };
        let bytes = stamp.to_bytes();
        assert_eq!((&bytes[..4], &bytes[8..12]), (b"stb1".as_slice(), [4, 3, 2, 1].as_slice()));
        assert_eq!((bytes[32], bytes[55]), (0x0a, 0xff));
    }
}
