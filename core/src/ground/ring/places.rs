//! Places of calls, in a ring.

use crate::ground::call;
use crate::ground::sync::{Span, WordRef};

use super::slots::Slots;
use super::value::Value;

/// The places of one side of a channel of calls: each has a value, and four words behind it.
pub struct Places<T: ?Sized> {
    /// The values.
    values: Slots<T>,
    /// The memory of the places.
    span: Span,
    /// Bytes from one place to the next.
    stride: u32,
}

impl<T: Value + ?Sized> Places<T> {
    /// A ring of `capacity` places for values of `size` bytes, `stride` bytes from one to the next; `None` if it
    /// does not fit the span, a value and its words do not fit a place, or words would not be aligned.
    #[must_use]
    pub fn new(span: Span, capacity: u32, stride: u32, size: u32) -> Option<Self> {
        let sound =
            size <= stride.checked_sub(call::WORDS)? && stride.is_multiple_of(8) && span.is_aligned(8);
        let values = Slots::new(span.clone(), capacity, stride, size)?;
        sound.then_some(Self { values, span, stride })
    }

    /// The values, one in each place.
    #[inline(always)]
    #[must_use]
    pub fn values(&self) -> &Slots<T> {
        &self.values
    }

    /// How many places there are.
    #[inline(always)]
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.values.capacity()
    }

    /// The word `at` of the place at this position: one of those in [`call`].
    ///
    /// # Panics
    ///
    /// If there is no such word, which would be a fault of this crate.
    #[inline(always)]
    #[must_use]
    pub fn word(&self, pos: u32, at: u32) -> WordRef {
        self.span.header(self.values.at(pos) + self.stride - call::WORDS + at)
    }
}
