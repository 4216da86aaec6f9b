//! Bytes in, frames out.
//!
//! ```text
//!  0          start                    doubt        end
//!  | done with | searched from here on |            | space |
//! ```
//!
//! # Invariants
//!
//! - D1. `start <= end <= buffer.len()`.
//! - D2. `header`, if there is one, is decoded from the bytes at `start`. So no byte is checked twice.
//! - D3. Where [`StreamDecoder::find`] returns that it needs more, the buffered bytes are shorter than a
//!   header, or than the frame under way; and both fit the buffer. So there is space.
//! - D4. Every byte that came in belongs to a frame that was returned, or was skipped, or is buffered.

use super::wire::{Check, HEADER, Header, MAX_PAYLOAD, OVERHEAD};

/// Finds the frames in the bytes of a stream, in a buffer of the caller's.
///
/// Bytes come at any pace, into [`space`](Self::space) or by [`push`](Self::push); after each of them,
/// ask for frames until there is none.
///
/// # Examples
///
/// ```
/// use strait_core::stream::{Check, StreamDecoder, StreamEncoder};
/// let (mut out, mut into) = ([0; 64], [0; 64]);
/// let mut encoder = StreamEncoder::new(&mut out, Check::Whole).unwrap();
/// let mut decoder = StreamDecoder::new(&mut into, Check::Whole).unwrap();
/// encoder.push(7, b"motor on").unwrap();
///
/// // Garbage before a frame is skipped and counted.
/// decoder.push(b"???");
/// decoder.push(encoder.pending());
/// assert_eq!(decoder.next_frame().unwrap().payload, b"motor on");
/// assert_eq!((decoder.skipped(), decoder.next_frame()), (3, None));
/// ```
#[derive(Debug)]
pub struct StreamDecoder<'b> {
    buffer: &'b mut [u8],
    start: usize,
    end: usize,
    /// The header at `start`, once it is known to be one.
    header: Option<Header>,
    /// End of the frame whose CRC failed, while its inside is searched.
    doubt: usize,
    check: Check,
    max_len: usize,
    expected: Option<u32>,
    skipped: u64,
    failed: u64,
}

/// A frame that came over a stream, in place in the decoder's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFrame<'a> {
    /// The sender's tag.
    pub tag: u32,
    /// The frame's number, counting up by one a frame, modulo 2^32.
    pub sequence: u32,
    /// How many frames were lost: the numbers between the last frame's and this one's. 0 for the first
    /// frame, and where the numbers went back, as they do when a sender begins anew.
    pub missed: u32,
    /// The check that the frame passed.
    pub check: Check,
    /// The payload.
    pub payload: &'a [u8],
}

/// Outcome of a search.
pub(super) enum Search {
    /// A whole frame, which is done with.
    Frame(Found),
    /// The header of a frame whose payload has this many bytes, more than fit.
    #[cfg_attr(not(feature = "embedded-io-07"), allow(dead_code))]
    TooLarge(usize),
    /// Nothing, before more bytes come.
    NeedsMore,
}

/// The place of a frame in the buffer.
#[derive(Clone, Copy)]
pub(super) struct Found {
    header: Header,
    at: usize,
    missed: u32,
}

impl<'b> StreamDecoder<'b> {
    /// A decoder in this buffer, which takes frames with this check, or a better one; `None` if the
    /// buffer is shorter than [`OVERHEAD`].
    #[must_use]
    pub fn new(buffer: &'b mut [u8], check: Check) -> Option<Self> {
        let max_len = buffer.len().checked_sub(OVERHEAD)?.min(MAX_PAYLOAD);
        Some(Self {
            buffer,
            start: 0,
            end: 0,
            header: None,
            doubt: 0,
            check,
            max_len,
            expected: None,
            skipped: 0,
            failed: 0,
        })
    }

    /// Takes no payloads longer than this. A buffer that is longer than a frame saves reads; a bound near
    /// the longest real payload finds garbage sooner.
    pub fn limit(&mut self, max_len: usize) {
        self.max_len = self.max_len.min(max_len);
    }

    /// The buffer for the next bytes of the stream; report their number to [`fill`](Self::fill). Never
    /// empty after [`next_frame`](Self::next_frame) returned none.
    pub fn space(&mut self) -> &mut [u8] {
        let kept = self.end - self.start;
        let needed = self.header.map_or(HEADER, |header| header.total());
        if self.start > 0 && (kept <= self.start || needed > self.buffer.len() - self.start) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.doubt = self.doubt.saturating_sub(self.start);
            (self.start, self.end) = (0, kept);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes in the first `count` bytes of [`space`](Self::space), which were written there; more than it
    /// has count as all.
    pub fn fill(&mut self, count: usize) {
        self.end = self.buffer.len().min(self.end.saturating_add(count));
    }

    /// Takes in as many of these bytes as there is space for; returns how many. Takes at least one byte
    /// after [`next_frame`](Self::next_frame) returned none, if there is any.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let space = self.space();
        let count = bytes.len().min(space.len());
        space[..count].copy_from_slice(&bytes[..count]);
        self.fill(count);
        count
    }

    /// The next frame, if all of it is here. Steps: in proportion to the bytes that it consumes, skipped
    /// ones included. A frame that is too large for the decoder is skipped.
    pub fn next_frame(&mut self) -> Option<StreamFrame<'_>> {
        loop {
            match self.find() {
                Search::Frame(found) => return Some(self.frame(found)),
                Search::TooLarge(_) => {}
                Search::NeedsMore => return None,
            }
        }
    }

    /// Searches the buffered bytes. Each iteration but the last skips at least one byte.
    pub(super) fn find(&mut self) -> Search {
        loop {
            let bytes = &self.buffer[self.start..self.end];
            let header = match self.header {
                Some(header) => header,
                None => {
                    let Some(head) = bytes.first_chunk() else { return Search::NeedsMore };
                    match Header::decode(head) {
                        Some(header) if header.len as usize > self.max_len => {
                            self.skip(1);
                            return Search::TooLarge(header.len as usize);
                        }
                        Some(header) if header.check >= self.check => *self.header.insert(header),
                        _ => {
                            self.skip(1);
                            continue;
                        }
                    }
                }
            };
            let Some(frame) = bytes.get(..header.total()) else { return Search::NeedsMore };
            if header.fits(frame) {
                return Search::Frame(self.take(header));
            }
            self.reject(header);
        }
    }

    /// A frame whose CRC fails: the next one may start within it. A failed frame inside another is not
    /// searched; otherwise nested headers of a misbehaving sender would have each byte summed up once per
    /// header.
    fn reject(&mut self, header: Header) {
        self.failed += 1;
        if self.start < self.doubt {
            self.skip(header.total());
        } else {
            self.doubt = self.start + header.total();
            self.skip(1);
        }
    }

    fn skip(&mut self, count: usize) {
        self.header = None;
        self.start += count;
        self.skipped += count as u64;
    }

    fn take(&mut self, header: Header) -> Found {
        let missed = match self.expected.map(|expected| header.sequence.wrapping_sub(expected)) {
            Some(ahead) if ahead < 1 << 31 => ahead,
            _ => 0,
        };
        let found = Found { header, at: self.start, missed };
        self.expected = Some(header.sequence.wrapping_add(1));
        self.header = None;
        self.start += header.total();
        found
    }

    /// A frame that was found; its bytes stay where they are until more come.
    pub(super) fn frame(&self, found: Found) -> StreamFrame<'_> {
        let Header { tag, sequence, check, .. } = found.header;
        let payload = &self.buffer[found.at + HEADER..found.at + found.header.payload_end()];
        StreamFrame { tag, sequence, missed: found.missed, check, payload }
    }

    /// To be called when the frame under way will not go on: the line is silent, or at its end. Skips the
    /// first buffered byte, so that frames behind it can be found; returns `false` if there is none. Take
    /// all frames before, and again after.
    ///
    /// If a sender is reset in mid-frame, its receiver waits for the rest, and takes the next bytes for
    /// that. On a line where senders come and go, call this until it returns `false` when the line was
    /// silent for longer than it ever is within a frame.
    pub fn give_up(&mut self) -> bool {
        let some = self.start < self.end;
        if some {
            self.skip(1);
        }
        some
    }

    /// Bytes that are of no frame, so far: garbage, and damaged frames.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Frames with a sound header whose CRC failed, so far.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// The longest payload in bytes.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.max_len
    }

    /// Bytes of the buffer.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes that came in and were neither returned nor skipped.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.end - self.start
    }
}
