//! `strait send` and `strait recv`: a file through a queue of frames.
//!
//! # The protocol
//!
//! One queue, from the sender to the receiver; numbers are little-endian.
//!
//! - [`BEGIN`]: the sender's identity in the region (u32), 0 (u32), the file's length as far as it is
//!   known (u64), as much of its name as fits; length and name are for display
//! - [`DATA`], any number of times: the file's next bytes, as many as the frame has, never none
//! - [`END`]: how many bytes were sent (u64), their CRC-32C (u32)
//!
//! Frames need at least 16 bytes. Nothing is sent back. The receipt is the space of
//! released frames: the receiver releases the last frame when the file is
//! complete under its name, and not before. A receiver that gives up leaves it in the queue.
//!
//! # If a side dies
//!
//! Each side knows the other by its identity, and so notices its death, its leaving, and a successor
//! in its role alike; either way the transfer has failed. A receiver passes over frames until one
//! begins the transfer of the sender that it has met, so the remains of a dead sender in the queue never
//! get into a file.
//!
//! # Removal of the region
//!
//! The receiver removes it just before its receipt: when the sender ends, the name is free. After a failure
//! the last side to leave does, or the process that it starts for that (see [`janitor`]); at the
//! latest the next transfer of that name. A region that somebody else made is used and left in place.

mod channel;
mod crc;
pub mod janitor;
pub mod output;
mod progress;
pub mod recv;
mod removal;
mod rendezvous;
pub mod send;
mod watch;

use std::time::Duration;

use crate::text;

/// The first frame of a transfer.
const BEGIN: u32 = u32::from_le_bytes(*b"STF1");
/// A piece of the file.
const DATA: u32 = u32::from_le_bytes(*b"STFd");
/// The last frame of a transfer.
const END: u32 = u32::from_le_bytes(*b"STFe");

/// The shortest longest frame with which the protocol works.
const LEAST_FRAME: u32 = 16;

/// How long to wait before looking whether the other side lives.
const SLICE: Duration = Duration::from_millis(100);

/// The content of [`BEGIN`].
struct Begin {
    sender: u32,
    length: u64,
    name: String,
}

impl Begin {
    fn encode(&self, most: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(most as usize);
        bytes.extend(self.sender.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.length.to_le_bytes());
        let room = (most as usize).saturating_sub(bytes.len());
        bytes.extend(self.name.bytes().take(room));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (fixed, name) = bytes.split_at_checked(16)?;
        let sender = u32::from_le_bytes(fixed.get(..4)?.try_into().ok()?);
        let length = u64::from_le_bytes(fixed.get(8..)?.try_into().ok()?);
        Some(Self { sender, length, name: String::from_utf8_lossy(name).into_owned() })
    }
}

/// The content of [`END`].
#[derive(Clone, Copy, PartialEq, Eq)]
struct End {
    length: u64,
    crc: u32,
}

impl End {
    fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 12] = bytes.try_into().ok()?;
        let (length, crc) = bytes.split_first_chunk::<8>()?;
        Some(Self { length: u64::from_le_bytes(*length), crc: u32::from_le_bytes(crc.try_into().ok()?) })
    }
}

/// "2000000 bytes in 0.10 s (19.07 MiB/s), CRC-32C 01234567".
fn summary(end: End, took: Duration) -> String {
    let End { length, crc } = end;
    let seconds = took.as_secs_f64();
    let unit = if length == 1 { "byte" } else { "bytes" };
    // Less than that is no measure of anything.
    let rate = if seconds < 0.01 {
        String::new()
    } else {
        format!(" ({}/s)", text::bytes((length as f64 / seconds) as u64))
    };
    format!("{length} {unit} in {seconds:.2} s{rate}, CRC-32C {crc:08x}")
}

#[cfg(test)]
mod tests {
    use super::{Begin, End};

    #[test]
    fn what_is_encoded_is_decoded() {
        let begin = Begin { sender: 513, length: 1 << 40, name: "data.bin".into() };
        let read = Begin::decode(&begin.encode(100)).expect("whole");
        assert_eq!((read.sender, read.length, read.name.as_str()), (513, 1 << 40, "data.bin"));
        let short = Begin::decode(&begin.encode(16)).expect("without its name");
        assert_eq!((short.length, short.name.as_str()), (1 << 40, ""));
        let end = End { length: 7, crc: 0xDEAD_BEEF };
        assert!(End::decode(&end.encode()) == Some(end));
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        assert!(Begin::decode(&[0; 15]).is_none());
        assert!(End::decode(&[0; 11]).is_none() && End::decode(&[0; 13]).is_none());
    }
}
