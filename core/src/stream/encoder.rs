//! Frames in, bytes out.

use core::fmt;

use super::wire::{Check, HEADER, Header, MAX_PAYLOAD, OVERHEAD};

/// Turns frames into the bytes of a stream, in a buffer of the caller's.
///
/// Bytes leave at any pace: [`pending`](Self::pending) shows the bytes to be sent,
/// [`consume`](Self::consume) removes those that were sent.
///
/// # Examples
///
/// ```
/// use strait_core::stream::{Check, StreamDecoder, StreamEncoder};
/// let (mut out, mut into) = ([0; 64], [0; 64]);
/// let mut encoder = StreamEncoder::new(&mut out, Check::Whole).unwrap();
/// let mut decoder = StreamDecoder::new(&mut into, Check::Whole).unwrap();
/// encoder.push(7, b"motor on").unwrap();
/// while !encoder.pending().is_empty() {
///     // A line that takes three bytes at a time.
///     let some = encoder.pending().len().min(3);
///     assert_eq!(decoder.push(&encoder.pending()[..some]), some);
///     encoder.consume(some);
/// }
/// let frame = decoder.next_frame().unwrap();
/// assert_eq!((frame.tag, frame.sequence, frame.payload), (7, 0, &b"motor on"[..]));
/// ```
#[derive(Debug)]
pub struct StreamEncoder<'b> {
    buffer: &'b mut [u8],
    /// The bytes not yet consumed.
    start: usize,
    end: usize,
    check: Check,
    sequence: u32,
}

impl<'b> StreamEncoder<'b> {
    /// An encoder in this buffer; `None` if it is shorter than [`OVERHEAD`]. The buffer bounds the
    /// frames, and how many of them may be pending.
    #[must_use]
    pub fn new(buffer: &'b mut [u8], check: Check) -> Option<Self> {
        if buffer.len() < OVERHEAD {
            return None;
        }
        Some(Self { buffer, start: 0, end: 0, check, sequence: 0 })
    }

    /// Puts a frame behind what is pending. Steps: in proportion to the payload, and to what is pending
    /// if that must be moved.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]; nothing has changed then.
    pub fn push(&mut self, tag: u32, payload: &[u8]) -> Result<(), EncodeError> {
        self.push_with(tag, payload.len(), |into| into.copy_from_slice(payload))
    }

    /// As [`push`](Self::push), with a payload of `len` bytes that `fill` writes in place: so a frame in
    /// a ring is copied once. Bytes that it leaves alone are any of former frames.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]; nothing has changed then.
    pub fn push_with(
        &mut self,
        tag: u32,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<(), EncodeError> {
        if len > self.max_len() {
            return Err(EncodeError::TooLarge);
        }
        let header = Header { len: len as u32, check: self.check, tag, sequence: self.sequence };
        if header.total() > self.buffer.len() - (self.end - self.start) {
            return Err(EncodeError::Full);
        }
        if header.total() > self.buffer.len() - self.end {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let frame = &mut self.buffer[self.end..self.end + header.total()];
        let (head, rest) = frame.split_at_mut(HEADER);
        let (payload, trailer) = rest.split_at_mut(len);
        head.copy_from_slice(&header.encode());
        fill(payload);
        if !trailer.is_empty() {
            trailer.copy_from_slice(&header.trailer(payload));
        }
        self.end += header.total();
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }

    /// The bytes to be sent next.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Removes `count` pending bytes, which were sent; more than there are count as all.
    pub fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start.saturating_add(count));
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// The longest payload in bytes.
    #[must_use]
    pub fn max_len(&self) -> usize {
        (self.buffer.len() - OVERHEAD).min(MAX_PAYLOAD)
    }

    /// The sequence number that the next frame will have.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.sequence
    }

    /// Sets the sequence number of the next frame: to hand on frames under the numbers that they came
    /// with, gaps included.
    pub fn set_next_sequence(&mut self, sequence: u32) {
        self.sequence = sequence;
    }
}

/// Error of an encoder. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// No space beside what is pending; it comes as that is sent.
    Full,
    /// Longer than the buffer allows; it can never fit.
    TooLarge,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the encoder's buffer is full; send what is pending first",
            Self::TooLarge => "the frame is longer than the encoder's buffer allows; give it a longer one",
        })
    }
}

impl core::error::Error for EncodeError {}
