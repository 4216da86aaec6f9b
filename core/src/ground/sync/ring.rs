//! Rings in a region's memory, where a position is always inside: the mask sees to it.
//!
//! # Invariants
//!
//! - G1. `capacity` is a power of two, and `capacity` times the stride (of a ring of bytes: the
//!   capacity) is at most the span's length. Checked when the ring is made; so no access by position
//!   is checked again.

use core::marker::PhantomData;

use crate::ground::entry::GRANULE;
use crate::ground::frame::Frame;

use super::{Mem, Span, WordRef};

/// Slots of one size for values of type `T`, in a ring.
pub struct Slots<T> {
    span: Span,
    mask: u32,
    stride: u32,
    /// Where in a slot its last word lies.
    last: u32,
    values: PhantomData<fn() -> T>,
}

impl<T: Frame> Slots<T> {
    /// Whether all values start at a multiple of 8, whatever the stride: then it is one of the size.
    const ALIGNED: bool = size_of::<T>().is_multiple_of(Mem::ALIGN);
    /// Whether a value is a few whole words.
    const FEW: bool = Self::ALIGNED && size_of::<T>() <= 64;

    /// A ring of `capacity` slots, `stride` bytes from one to the next; `None` if it does not fit the
    /// span, or a value does not fit a slot.
    #[must_use]
    pub fn new(span: Span, capacity: u32, stride: u32) -> Option<Self> {
        let sound = capacity.is_power_of_two()
            && capacity.checked_mul(stride)? <= span.len()
            && size_of::<T>() <= stride as usize
            && (!Self::ALIGNED || stride.is_multiple_of(Mem::ALIGN as u32));
        let last = stride.saturating_sub(4);
        sound.then_some(Self { span, mask: capacity - 1, stride, last, values: PhantomData })
    }

    /// Where in the span the slot at this position lies.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, pos: u32) -> u32 {
        (pos & self.mask) * self.stride
    }

    /// The word at the end of the slot at this position: its sequence, in a ring that has them. The
    /// stride must be a multiple of 4 then.
    #[inline(always)]
    #[must_use]
    pub fn sequence(&self, pos: u32) -> WordRef {
        // SAFETY: the slot lies inside (G1), and a stride is 4 at least where there is a word.
        unsafe { self.span.word_within(self.at(pos) + self.last) }
    }

    /// Copies the value of the slot at this position out.
    #[inline(always)]
    #[must_use]
    pub fn read(&self, pos: u32) -> T {
        let mut value = T::new_zeroed();
        let (at, into) = (self.at(pos), value.as_mut_bytes());
        if Self::FEW {
            // SAFETY: the slot lies inside (G1), a value is not longer than a slot, and starts at a
            // multiple of 8, for spans do.
            unsafe { self.span.read_few_within(at, into) };
        } else {
            // SAFETY: as above, if `ALIGNED`.
            unsafe { self.span.read_within(at, into, Self::ALIGNED) };
        }
        value
    }

    /// Copies a value into the slot at this position.
    #[inline(always)]
    pub fn write(&self, pos: u32, value: &T) {
        let (at, from) = (self.at(pos), value.as_bytes());
        if Self::FEW {
            // SAFETY: as in `read`.
            unsafe { self.span.write_few_within(at, from) };
        } else {
            // SAFETY: as in `read`.
            unsafe { self.span.write_within(at, from, Self::ALIGNED) };
        }
    }
}

impl<T: Frame> Slots<T> {
    /// Copies bytes of the value of the slot at this position from `offset` on; answers how many there
    /// were.
    pub fn read_part(&self, pos: u32, offset: usize, into: &mut [u8]) -> usize {
        let count = size_of::<T>().saturating_sub(offset).min(into.len());
        if count > 0 {
            self.span.read(self.at(pos) + offset as u32, &mut into[..count]);
        }
        count
    }

    /// Copies bytes over the value of the slot at this position from `offset` on; answers how many fitted.
    pub fn write_part(&self, pos: u32, offset: usize, from: &[u8]) -> usize {
        let count = size_of::<T>().saturating_sub(offset).min(from.len());
        if count > 0 {
            self.span.write(self.at(pos) + offset as u32, &from[..count]);
        }
        count
    }
}

/// Buffers of one size, each a header of one granule and a value.
///
/// Their values follow their headers, or lie apart from them: the caller says which, each time, for it
/// is known when the program is compiled where it matters.
pub struct Buffers {
    /// One after the other, if they lie apart.
    headers: Span,
    /// The values; with their headers before them, unless those lie apart.
    values: Span,
    mask: u32,
    stride: u32,
}

impl Buffers {
    /// A ring of `capacity` buffers, `stride` bytes from one to the next, and their headers if those lie
    /// apart; `None` if it does not fit the spans, or a header does not fit a buffer.
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
    pub fn header(&self, index: u32, offset: u32, apart: bool) -> WordRef {
        let (index, offset) = (index & self.mask, offset & (GRANULE - 4));
        if apart {
            // SAFETY: as many whole granules lie inside (G1).
            return unsafe { self.headers.word_within(index * GRANULE + offset) };
        }
        // SAFETY: a whole granule lies inside at each multiple of the stride (G1).
        unsafe { self.values.word_within(index * self.stride + offset) }
    }

    /// The span, and the place in it of `offset` in this buffer's header.
    #[inline(always)]
    #[must_use]
    pub fn in_header(&self, index: u32, offset: u32, apart: bool) -> (&Span, u32) {
        let index = index & self.mask;
        if apart {
            (&self.headers, index * GRANULE + offset)
        } else {
            (&self.values, index * self.stride + offset)
        }
    }

    /// The span, and the place in it of this buffer's value.
    #[inline(always)]
    #[must_use]
    pub fn value(&self, index: u32, apart: bool) -> (&Span, u32) {
        let index = index & self.mask;
        (&self.values, index * self.stride + if apart { 0 } else { GRANULE })
    }
}

/// A ring of bytes, in granules: each frame is a header of one granule, and its payload.
pub struct Bytes {
    span: Span,
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
        // SAFETY: a whole granule lies inside at `place` (G1).
        unsafe { self.span.word_within(place + (offset & (GRANULE - 4))) }
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
        // SAFETY: as in `read`.
        unsafe { self.span.write_within(start, from, true) };
    }

    /// The span in which the ring lies, and the place in it of the payload at this position.
    #[inline(always)]
    #[must_use]
    pub fn place(&self, pos: u32) -> (&Span, u32) {
        (&self.span, self.payload(pos, 0))
    }
}
