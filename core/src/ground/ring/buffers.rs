//! Buffers of one size in a ring, each with a header.

use crate::ground::geometry::GRANULE;
use crate::ground::sync::{Span, WordRef};

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
    /// are split off; `None` if it does not fit the spans, or a header does not fit a buffer.
    #[must_use]
    pub fn new(values: Span, headers: Option<Span>, capacity: u32, stride: u32) -> Option<Self> {
        let headers = headers.unwrap_or_else(|| values.clone());
        let sound = capacity.is_power_of_two()
            && capacity.checked_mul(stride)? <= values.len()
            && capacity.checked_mul(GRANULE)? <= headers.len()
            && stride >= GRANULE
            && stride.is_multiple_of(4);
        sound.then_some(Self { headers, values, mask: capacity - 1, stride })
    }

    /// The word at `offset` of the header of this buffer; index and offset are taken down to what
    /// there is.
    #[inline(always)]
    #[must_use]
    pub fn header(&self, index: u32, offset: u32, split_payload: bool) -> WordRef {
        let (index, offset) = (index & self.mask, offset & (GRANULE - 4));
        if split_payload {
            // SAFETY: that many whole granules are inside (G1).
            return unsafe { self.headers.word_within(index * GRANULE + offset) };
        }
        // SAFETY: a whole granule is inside at each multiple of the stride (G1).
        unsafe { self.values.word_within(index * self.stride + offset) }
    }

    /// The span, and the place in it of `offset` in this buffer's header.
    #[inline(always)]
    #[must_use]
    pub fn in_header(&self, index: u32, offset: u32, split_payload: bool) -> (&Span, u32) {
        let index = index & self.mask;
        if split_payload {
            (&self.headers, index * GRANULE + offset)
        } else {
            (&self.values, index * self.stride + offset)
        }
    }

    /// The span, and the place in it of this buffer's value.
    #[inline(always)]
    #[must_use]
    pub fn value(&self, index: u32, split_payload: bool) -> (&Span, u32) {
        let index = index & self.mask;
        (&self.values, index * self.stride + if split_payload { 0 } else { GRANULE })
    }
}
