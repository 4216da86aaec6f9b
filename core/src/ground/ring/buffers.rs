//! Buffers of one size in a ring, each with a header.

use crate::ground::geometry::GRANULE;
use crate::ground::offset;
use crate::ground::sync::{Mem, Span, WordRef};

/// Buffers of one size, each a header of one granule and a value.
///
/// The values follow their headers, or are split off. The caller passes which, at each call, because the
/// compiler knows it where speed matters.
pub struct Buffers {
    /// One after the other, if the values are split off.
    headers: Span,
    /// The values; each with its header before it, unless they are split off.
    values: Span,
    /// How many there are, a power of two, less one.
    mask: u32,
    /// Bytes from one to the next.
    stride: u32,
}

impl Buffers {
    /// A ring of `capacity` buffers, `stride` bytes from one to the next, and their headers if the values
    /// are split off; `None` if it does not fit the spans, a header does not fit a buffer, or something
    /// does not start at a multiple of 8.
    #[must_use]
    pub fn new(values: Span, headers: Option<Span>, capacity: u32, stride: u32) -> Option<Self> {
        let headers = headers.unwrap_or_else(|| values.clone());
        let sound = capacity.is_power_of_two()
            && capacity.checked_mul(stride)? <= values.len()
            && capacity.checked_mul(GRANULE)? <= headers.len()
            && stride >= GRANULE
            && stride.is_multiple_of(Mem::ALIGN as u32)
            && headers.is_aligned(Mem::ALIGN)
            && values.is_aligned(Mem::ALIGN);
        sound.then(|| Self { headers, values, mask: capacity - 1, stride })
    }

    /// The word at `offset` of the header of this buffer; index and offset are taken down to what
    /// there is.
    #[inline(always)]
    #[must_use]
    pub fn header(&self, index: u32, offset: u32, split_payload: bool) -> WordRef {
        let (index, offset) = (index & self.mask, offset & (GRANULE - 4));
        if split_payload {
            // SAFETY: that many whole granules are inside (G1), aligned (G2).
            return unsafe { self.headers.word_within(index * GRANULE + offset) };
        }
        // SAFETY: a whole granule is inside at each multiple of the stride (G1), aligned (G2).
        unsafe { self.values.word_within(index * self.stride + offset) }
    }

    /// The second half of this buffer's header, which belongs to the value: where it lies.
    #[inline(always)]
    fn tag(&self, index: u32, split_payload: bool) -> (&Span, u32) {
        let index = index & self.mask;
        if split_payload {
            (&self.headers, index * GRANULE + offset::VALUE_TAG)
        } else {
            (&self.values, index * self.stride + offset::VALUE_TAG)
        }
    }

    /// Copies the second half of this buffer's header out, which a writer may be writing meanwhile.
    #[inline(always)]
    #[must_use]
    pub fn read_tag(&self, index: u32, split_payload: bool) -> [u8; 8] {
        let (span, place) = self.tag(index, split_payload);
        let mut tag = [0; 8];
        // SAFETY: the span is aligned, and the place a multiple of 8 (G2).
        unsafe { span.read_racing_within(place, &mut tag) };
        tag
    }

    /// Writes the second half of this buffer's header, which readers may be reading meanwhile.
    #[inline(always)]
    pub fn write_tag(&self, index: u32, tag: [u8; 8], split_payload: bool) {
        let (span, place) = self.tag(index, split_payload);
        // SAFETY: as in `read_tag`.
        unsafe { span.write_racing_within(place, &tag) };
    }

    /// The place of this buffer's value in the span of the values.
    #[inline(always)]
    #[must_use]
    pub fn place(&self, index: u32, split_payload: bool) -> u32 {
        (index & self.mask) * self.stride + if split_payload { 0 } else { GRANULE }
    }

    /// Copies this buffer's value out, or its start, which a writer may be writing meanwhile.
    ///
    /// # Panics
    ///
    /// If it is not all inside, which would be a fault of this crate.
    #[inline(always)]
    pub fn read(&self, index: u32, into: &mut [u8], split_payload: bool) {
        // SAFETY: the span is aligned, and the place a multiple of 8 (G2).
        unsafe { self.values.read_racing_within(self.place(index, split_payload), into) };
    }

    /// Writes this buffer's value, which readers may be reading meanwhile.
    ///
    /// # Panics
    ///
    /// If it is not all inside, which would be a fault of this crate.
    #[inline(always)]
    pub fn write(&self, index: u32, from: &[u8], split_payload: bool) {
        // SAFETY: as in `read`.
        unsafe { self.values.write_racing_within(self.place(index, split_payload), from) };
    }
}
