//! Slots of one size in a ring.

use core::marker::PhantomData;

use crate::ground::message::Message;
use crate::ground::sync::{Mem, Span, WordRef};

use super::value::Value;

/// Of a ring without sequences: no slot is so long.
const NO_SEQUENCE: u32 = u32::MAX;

/// Slots of one size for values of type `T`, in a ring.
pub struct Slots<T: ?Sized> {
    /// The ring's memory.
    span: Span,
    /// The capacity, a power of two, less one.
    mask: u32,
    /// Bytes from one slot to the next.
    stride: u32,
    /// Bytes of a value.
    size: u32,
    /// Where in a slot its sequence lies; or [`NO_SEQUENCE`].
    last: u32,
    values: PhantomData<fn(&T)>,
}

impl<T: Message> Slots<T> {
    /// Copies the value of the slot at this position out.
    #[inline(always)]
    #[must_use]
    pub fn read(&self, pos: u32) -> T {
        let mut value = T::new_zeroed();
        self.read_into(pos, &mut value);
        value
    }
}

impl<T: Value + ?Sized> Slots<T> {
    /// A ring of `capacity` slots for values of `size` bytes, `stride` bytes from one to the next; `None`
    /// if it does not fit the span, a value does not fit a slot, or values of whole words would not be aligned.
    #[must_use]
    pub fn new(span: Span, capacity: u32, stride: u32, size: u32) -> Option<Self> {
        Self::of(span, capacity, stride, size, NO_SEQUENCE)
    }

    /// As [`new`](Self::new), of slots that end with a [sequence](Self::sequence); `None` also if a word does
    /// not fit behind a value, or would not be aligned.
    #[must_use]
    pub fn with_sequences(span: Span, capacity: u32, stride: u32, size: u32) -> Option<Self> {
        let last = stride.checked_sub(4)?;
        let sound = size <= last && stride.is_multiple_of(4) && span.is_aligned(4);
        if sound { Self::of(span, capacity, stride, size, last) } else { None }
    }

    fn of(span: Span, capacity: u32, stride: u32, size: u32, last: u32) -> Option<Self> {
        let sound = capacity.is_power_of_two()
            && capacity.checked_mul(stride)? <= span.len()
            && size <= stride
            && T::suits(size, stride)
            && (!T::ALIGNED || span.is_aligned(Mem::ALIGN));
        sound.then(|| Self { span, mask: capacity - 1, stride, size, last, values: PhantomData })
    }

    /// How many slots there are.
    #[inline(always)]
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.mask + 1
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
        T::SIZED || value.bytes().len() == self.size as usize
    }

    /// Offset in the span of the slot at this position.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, pos: u32) -> u32 {
        (pos & self.mask) * self.stride
    }

    /// The word at the end of the slot at this position: its sequence.
    ///
    /// # Safety
    ///
    /// The ring was made [with sequences](Self::with_sequences).
    #[inline(always)]
    #[must_use]
    pub unsafe fn sequence(&self, pos: u32) -> WordRef {
        debug_assert_ne!(self.last, NO_SEQUENCE);
        // SAFETY: the slot is inside (G1), and a ring with sequences has an aligned word at its end (G2).
        unsafe { self.span.word_within(self.at(pos) + self.last) }
    }

    /// Copies the value of the slot at this position out, into a place that the slots
    /// [take](Self::takes).
    #[inline(always)]
    pub fn read_into(&self, pos: u32, into: &mut T) {
        let (at, into) = (self.at(pos), into.bytes_mut());
        if !T::SIZED {
            // Checked there.
            self.span.read(at, into);
        } else if T::FEW {
            // SAFETY: the slot is inside (G1), a value of this type is not longer than a slot, and starts at a
            // multiple of 8, for the span does (G2), and the stride of such values is one (`Value::suits`).
            unsafe { self.span.read_few_within(at, into) };
        } else {
            // SAFETY: as above, if `ALIGNED`.
            unsafe { self.span.read_within(at, into, T::ALIGNED) };
        }
    }

    /// Copies a value that the slots [take](Self::takes) into the slot at this position.
    #[inline(always)]
    pub fn write(&self, pos: u32, value: &T) {
        let (at, from) = (self.at(pos), value.bytes());
        if !T::SIZED {
            // Checked there.
            self.span.write(at, from);
        } else if T::FEW {
            // SAFETY: as in `read_into`.
            unsafe { self.span.write_few_within(at, from) };
        } else {
            // SAFETY: as in `read_into`.
            unsafe { self.span.write_within(at, from, T::ALIGNED) };
        }
    }

    /// Copies bytes of the value of the slot at this position from `offset` on; returns how many there
    /// were.
    pub fn read_part(&self, pos: u32, offset: usize, into: &mut [u8]) -> usize {
        let count = (self.size as usize).saturating_sub(offset).min(into.len());
        if count > 0 {
            self.span.read(self.at(pos) + offset as u32, &mut into[..count]);
        }
        count
    }

    /// Copies bytes over the value of the slot at this position from `offset` on; returns how many fitted.
    pub fn write_part(&self, pos: u32, offset: usize, from: &[u8]) -> usize {
        let count = (self.size as usize).saturating_sub(offset).min(from.len());
        if count > 0 {
            self.span.write(self.at(pos) + offset as u32, &from[..count]);
        }
        count
    }
}
