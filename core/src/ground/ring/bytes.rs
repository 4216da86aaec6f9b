//! A ring of bytes, in granules.

use crate::ground::geometry::GRANULE;
use crate::ground::offset;
use crate::ground::sync::{Span, WordRef};

/// Bytes of a line of most caches. Only speed depends on it.
const LINE: u32 = 64;

/// A ring of bytes, in granules: each frame is a header of one granule, and its payload.
pub struct Bytes {
    /// The ring's memory.
    span: Span,
    /// The capacity, a power of two, less one.
    mask: u32,
}

impl Bytes {
    /// A ring of `capacity` bytes; `None` if that is no power of two from one granule up, or longer
    /// than the span.
    #[must_use]
    pub fn new(span: Span, capacity: u32) -> Option<Self> {
        let sound = capacity.is_power_of_two() && capacity >= GRANULE && capacity <= span.len();
        sound.then_some(Self { span, mask: capacity - 1 })
    }

    /// The word at `offset` of the header at this position; offset and position are taken down to
    /// what a header has.
    #[inline(always)]
    #[must_use]
    pub fn header(&self, pos: u32, offset: u32) -> WordRef {
        let place = pos & self.mask & !(GRANULE - 1);
        // SAFETY: a whole granule is inside at `place` (G1).
        unsafe { self.span.word_within(place + (offset & (GRANULE - 4))) }
    }

    /// The commit word of the header at this position.
    #[inline(always)]
    #[must_use]
    pub fn commit(&self, pos: u32) -> WordRef {
        self.header(pos, offset::COMMIT)
    }

    /// The sequence number in the header at this position.
    #[inline(always)]
    #[must_use]
    pub fn sequence(&self, pos: u32) -> u32 {
        self.header(pos, offset::SEQUENCE).read_plain()
    }

    /// How many bytes there are.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.mask + 1
    }

    #[inline(always)]
    fn payload(&self, pos: u32, len: usize) -> u32 {
        let start = (pos & self.mask & !(GRANULE - 1)) + GRANULE;
        assert!(start as usize + len <= self.mask as usize + 1, "a length of our own is wrong");
        start
    }

    /// Copies the start of the payload of the frame at this position out.
    ///
    /// # Panics
    ///
    /// If it is not all inside the ring, which would be a fault of this crate.
    #[inline(always)]
    pub fn read(&self, pos: u32, into: &mut [u8]) {
        let start = self.payload(pos, into.len());
        // SAFETY: checked by `payload`; a granule is a multiple of 8, and spans start at one.
        unsafe { self.span.read_within(start, into, true) };
    }

    /// Copies bytes to the start of the payload of the frame at this position.
    ///
    /// # Panics
    ///
    /// If they do not all fit the ring, which would be a fault of this crate.
    #[inline(always)]
    pub fn write(&self, pos: u32, from: &[u8]) {
        let start = self.payload(pos, from.len());
        if from.len() < Span::LONG {
            // SAFETY: as in `read`.
            return unsafe { self.span.write_within(start, from, true) };
        }
        // The part that shares a line with the header goes last, because the consumer polls that line.
        let (first, rest) = from.split_at((start.wrapping_neg() % LINE) as usize);
        // SAFETY: as in `read`; the place is a multiple of a line.
        unsafe { self.span.write_within(start + first.len() as u32, rest, true) };
        // SAFETY: as in `read`.
        unsafe { self.span.write_within(start, first, true) };
    }

    /// The ring's span, and the place in it of the payload at this position.
    #[inline(always)]
    #[must_use]
    pub fn place(&self, pos: u32) -> (&Span, u32) {
        (&self.span, self.payload(pos, 0))
    }
}
