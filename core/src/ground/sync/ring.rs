//! Rings in a region's memory, where a position is always inside: the mask sees to it.
//!
//! A slot holds a [`Value`]: a frame, whose size the compiler knows, or bytes, of which the channel says
//! how many.
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

/// What a slot can hold: any [`Frame`], or `[u8]` where a type is known at run time alone (by its
/// [`ValueType`](crate::ground::frame::ValueType)).
pub trait Value: sealed::Sealed + 'static {
    /// Whether values of `size` bytes in slots of `stride` are of this type.
    fn suits(size: u32, stride: u32) -> bool;

    /// Whether this value is of `size` bytes.
    fn is_of(&self, size: u32) -> bool;

    /// Copies the value at `at` out of slots that it suits.
    fn read(slots: &Slots<Self>, at: u32, into: &mut Self);

    /// Copies a value to `at` into slots that it suits.
    fn write(slots: &Slots<Self>, at: u32, value: &Self);
}

mod sealed {
    pub trait Sealed {}
    impl<T: super::Frame> Sealed for T {}
    impl Sealed for [u8] {}
}

impl<T: Frame> Value for T {
    #[inline(always)]
    fn suits(size: u32, stride: u32) -> bool {
        size as usize == size_of::<T>() && (!Slots::<T>::ALIGNED || stride.is_multiple_of(Mem::ALIGN as u32))
    }

    #[inline(always)]
    fn is_of(&self, _: u32) -> bool {
        true
    }

    #[inline(always)]
    fn read(slots: &Slots<T>, at: u32, into: &mut T) {
        let into = into.as_mut_bytes();
        if Slots::<T>::FEW {
            // SAFETY: the slot lies inside (G1), a value is not longer than a slot, and starts at a
            // multiple of 8, for spans do.
            unsafe { slots.span.read_few_within(at, into) };
        } else {
            // SAFETY: as above, if `ALIGNED`.
            unsafe { slots.span.read_within(at, into, Slots::<T>::ALIGNED) };
        }
    }

    #[inline(always)]
    fn write(slots: &Slots<T>, at: u32, value: &T) {
        let from = value.as_bytes();
        if Slots::<T>::FEW {
            // SAFETY: as in `read`.
            unsafe { slots.span.write_few_within(at, from) };
        } else {
            // SAFETY: as in `read`.
            unsafe { slots.span.write_within(at, from, Slots::<T>::ALIGNED) };
        }
    }
}

/// Bytes are checked at each access.
impl Value for [u8] {
    fn suits(_: u32, _: u32) -> bool {
        true
    }

    fn is_of(&self, size: u32) -> bool {
        self.len() == size as usize
    }

    fn read(slots: &Slots<[u8]>, at: u32, into: &mut [u8]) {
        slots.span.read(at, into);
    }

    fn write(slots: &Slots<[u8]>, at: u32, value: &[u8]) {
        slots.span.write(at, value);
    }
}

/// Slots of one size for values of type `T`, in a ring.
pub struct Slots<T: ?Sized> {
    span: Span,
    mask: u32,
    stride: u32,
    /// Bytes of a value.
    size: u32,
    /// Where in a slot its last word lies.
    last: u32,
    values: PhantomData<fn(&T)>,
}

impl<T: Frame> Slots<T> {
    /// Whether all values start at a multiple of 8, whatever the stride: then it is one of the size.
    const ALIGNED: bool = size_of::<T>().is_multiple_of(Mem::ALIGN);
    /// Whether a value is a few whole words.
    const FEW: bool = Self::ALIGNED && size_of::<T>() <= 64;

    /// Copies the value of the slot at this position out.
    #[inline(always)]
    #[must_use]
    pub fn read(&self, pos: u32) -> T {
        let mut value = T::new_zeroed();
        T::read(self, self.at(pos), &mut value);
        value
    }
}

impl<T: Value + ?Sized> Slots<T> {
    /// A ring of `capacity` slots for values of `size` bytes, `stride` bytes from one to the next; `None`
    /// if it does not fit the span, or a value does not fit a slot.
    #[must_use]
    pub fn new(span: Span, capacity: u32, stride: u32, size: u32) -> Option<Self> {
        let sound = capacity.is_power_of_two()
            && capacity.checked_mul(stride)? <= span.len()
            && size <= stride
            && T::suits(size, stride);
        let last = stride.saturating_sub(4);
        sound.then_some(Self { span, mask: capacity - 1, stride, size, last, values: PhantomData })
    }

    /// Bytes of a value.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Whether the value is of the slots' size.
    #[inline(always)]
    #[must_use]
    pub fn takes(&self, value: &T) -> bool {
        value.is_of(self.size)
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

    /// Copies the value of the slot at this position out, into a place that the slots
    /// [take](Self::takes).
    #[inline(always)]
    pub fn read_into(&self, pos: u32, into: &mut T) {
        T::read(self, self.at(pos), into);
    }

    /// Copies a value that the slots [take](Self::takes) into the slot at this position.
    #[inline(always)]
    pub fn write(&self, pos: u32, value: &T) {
        T::write(self, self.at(pos), value);
    }

    /// Copies bytes of the value of the slot at this position from `offset` on; answers how many there
    /// were.
    pub fn read_part(&self, pos: u32, offset: usize, into: &mut [u8]) -> usize {
        let count = (self.size as usize).saturating_sub(offset).min(into.len());
        if count > 0 {
            self.span.read(self.at(pos) + offset as u32, &mut into[..count]);
        }
        count
    }

    /// Copies bytes over the value of the slot at this position from `offset` on; answers how many fitted.
    pub fn write_part(&self, pos: u32, offset: usize, from: &[u8]) -> usize {
        let count = (self.size as usize).saturating_sub(offset).min(from.len());
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

/// Bytes of a line of most caches. Only speed depends on it.
const LINE: u32 = 64;

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
        if from.len() < Span::LONG {
            // SAFETY: as in `read`.
            return unsafe { self.span.write_within(start, from, true) };
        }
        // What shares a line with the header goes last: the consumer looks at that line all the time.
        let (first, rest) = from.split_at((start.wrapping_neg() % LINE) as usize);
        // SAFETY: as in `read`; the place is a multiple of a line.
        unsafe { self.span.write_within(start + first.len() as u32, rest, true) };
        // SAFETY: as in `read`.
        unsafe { self.span.write_within(start, first, true) };
    }

    /// The span in which the ring lies, and the place in it of the payload at this position.
    #[inline(always)]
    #[must_use]
    pub fn place(&self, pos: u32) -> (&Span, u32) {
        (&self.span, self.payload(pos, 0))
    }
}
