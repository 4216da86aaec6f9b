//! A stream frame's header and CRCs, byte for byte.

use crate::ground::crc::Crc;
use crate::protocol::frames::READY;

/// Set in the commit word of a frame whose payload is followed by a CRC. A ring's frames are shorter
/// than that, so there the bit is never set.
const WHOLE: u32 = 1 << 30;

/// Bytes of a header.
pub(super) const HEADER: usize = 16;
/// Bytes of the CRC behind the payload.
const TRAILER: usize = 4;

/// The most bytes that a frame takes on a stream beyond its payload.
pub const OVERHEAD: usize = HEADER + TRAILER;

/// The longest payload that a header can hold, in bytes.
pub const MAX_PAYLOAD: usize = (WHOLE - 1) as usize;

/// The check of a frame: the one that an encoder sends, or the least that a decoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The header. For streams that neither lose nor change bytes.
    Header,
    /// Header and payload, for 4 bytes more. For lines that change bytes.
    Whole,
}

/// A header that was checked, or is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub len: u32,
    pub check: Check,
    pub tag: u32,
    pub sequence: u32,
}

impl Header {
    fn commit(&self) -> u32 {
        READY | self.len | if self.check == Check::Whole { WHOLE } else { 0 }
    }

    /// The CRC of the three words that carry information. The check word is left out also where the
    /// payload goes on from here: a CRC that has run over its own value is the same for every header.
    fn crc(&self) -> Crc {
        Crc::new().word(self.commit()).word(self.tag).word(self.sequence)
    }

    /// The header as bytes of the stream.
    pub fn encode(&self) -> [u8; HEADER] {
        let words = [self.commit(), self.tag, self.sequence, self.crc().finish()];
        let mut bytes = [0; HEADER];
        for (into, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *into = word.to_le_bytes();
        }
        bytes
    }

    /// Decodes a header, if these bytes are one. One CRC of 12 bytes at most.
    pub fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let mut words = [0; 4];
        for (into, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *into = u32::from_le_bytes(*bytes);
        }
        let [commit, tag, sequence, check] = words;
        if commit & READY == 0 {
            return None;
        }
        let kind = if commit & WHOLE == 0 { Check::Header } else { Check::Whole };
        let header = Self { len: commit & (WHOLE - 1), check: kind, tag, sequence };
        (header.crc().finish() == check).then_some(header)
    }

    /// The bytes after the payload.
    pub fn trailer(&self, payload: &[u8]) -> [u8; TRAILER] {
        self.crc().bytes(payload).finish().to_le_bytes()
    }

    /// End of the payload, counted from the header's start.
    pub fn payload_end(&self) -> usize {
        HEADER + self.len as usize
    }

    /// Length of the frame in bytes.
    pub fn total(&self) -> usize {
        self.payload_end() + if self.check == Check::Whole { TRAILER } else { 0 }
    }

    /// Whether these bytes, a whole frame with this header, are as they were sent, as far as the check
    /// can detect.
    pub fn fits(&self, frame: &[u8]) -> bool {
        match (self.check, frame.get(HEADER..self.payload_end())) {
            (Check::Whole, Some(payload)) => frame.ends_with(&self.trailer(payload)),
            (Check::Header, payload) => payload.is_some(),
            _ => false,
        }
    }
}
