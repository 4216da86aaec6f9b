//! Frames over any byte stream: a TCP or Unix socket, a pipe, a serial line.
//!
//! ```text
//!  0        4        8          12      16                 16 + length
//!  +--------+--------+----------+-------+------------------+--------------+
//!  | commit | tag    | sequence | check | payload          | CRC          |
//!  +--------+--------+----------+-------+------------------+--------------+
//!    bit 31, WHOLE, length        CRC-32C of the three        if WHOLE: CRC-32C of the
//!                                 words before it             three words and the payload
//! ```
//!
//! It is the header of a frame in a ring, with a check in its reserved word: a stream has no slots, so a
//! frame must be recognised by its header. Frames follow each other without gaps.
//!
//! [`StreamEncoder`] and [`StreamDecoder`] are bytes in, bytes out. With the feature `embedded-io-07`,
//! `FrameWriter` and `FrameReader` join them to anything that is `embedded_io::Write` or `Read`.
//! The buffers are the caller's, and bound the frames: a buffer of [`OVERHEAD`] + n bytes takes
//! payloads of up to n. Nothing is lost if a stream takes or gives only some bytes, or fails for now:
//! any chunking gives the same frames.
//!
//! # Which check
//!
//! [`Check::Header`] is for streams that neither lose nor change bytes (sockets, pipes). The header's
//! CRC then detects two ends that disagree about the format. [`Check::Whole`] is for lines that change
//! bytes. Neither is a signature: anyone who can write to the line can forge a frame.
//!
//! # After garbage
//!
//! A byte at which no frame starts is skipped, and counted. A frame whose CRC fails is searched for
//! others that start within it, because the line may have lost bytes; one that fails *inside* a failed
//! one is skipped whole. So a byte costs at most one header check, two passes of CRC and three moves,
//! whatever is sent. The price: of three frames in a row of which the first two are damaged, the third
//! can be lost too.
//!
//! Frames are not escaped. If a payload holds a stream frame, and the frame around it is damaged, the
//! inner one is delivered as if it had been sent by itself. Its sequence number will hardly fit.
//!
//! # What passes wrongly
//!
//! Noise: a place in random bytes looks like a header with a chance of (maximum + 1) / 2^31 (the bit
//! that must be set, and the length) times 2^-32 (the check). That is 2^-47 a byte for frames of up to
//! 64 KiB, half of it where [`Check::Whole`] is asked for; and of those, 2^-32 have a payload to match.
//!
//! Flipped bits: CRC-32C finds any that are within 32 bits of each other, and up to 7 anywhere in a
//! header. With [`Check::Whole`] it finds up to 5 anywhere in a frame with a payload of up to 640 bytes,
//! and up to 3 in one of up to 256 MiB (Koopman 2002; all but the last are tested). Of more than that,
//! 2^-32 pass.
//!
//! # If the other end dies or misbehaves
//!
//! A frame that the stream's end cuts short is never delivered. If another sender continues on the same
//! line, with [`Check::Header`] its bytes are taken for the rest; with [`Check::Whole`] they are not. A
//! forged header costs what garbage costs.

mod decoder;
mod encoder;
#[cfg(feature = "embedded-io-07")]
mod reader;
mod wire;
#[cfg(feature = "embedded-io-07")]
mod writer;

pub use decoder::{StreamDecoder, StreamFrame};
pub use encoder::{EncodeError, StreamEncoder};
#[cfg(feature = "embedded-io-07")]
pub use reader::{FrameReader, StreamRecvError};
pub use wire::{Check, MAX_PAYLOAD, OVERHEAD};
#[cfg(feature = "embedded-io-07")]
pub use writer::{FrameWriter, StreamSendError};
