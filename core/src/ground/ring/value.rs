//! What rings hold: a frame, whose size the compiler knows, or bytes, of which the channel says how many.

use crate::ground::frame::Frame;
use crate::ground::sync::{Mem, Span};

use self::access::Access;

/// What a slot can hold: any [`Frame`], or `[u8]` where a type is known at run time alone (by its
/// [`ValueType`](crate::ground::frame::ValueType)).
pub trait Value: access::Access + 'static {}

impl<T: Frame> Value for T {}
impl Value for [u8] {}

/// How rings get at their values; nothing of it is part of the interface.
pub(super) mod access {
    use crate::ground::sync::Span;

    /// A type whose values are copied in and out of a ring.
    pub trait Access {
        /// Whether values of `size` bytes in slots of `stride` are of this type.
        fn suits(size: u32, stride: u32) -> bool;

        /// Whether this value is of `size` bytes.
        fn is_of(&self, size: u32) -> bool;

        /// Copies the value at `at` out.
        ///
        /// # Safety
        ///
        /// All of the value is inside the span, and starts at a multiple of the stride that it
        /// [suits](Self::suits).
        unsafe fn read(span: &Span, at: u32, into: &mut Self);

        /// Copies a value to `at`.
        ///
        /// # Safety
        ///
        /// As for [`read`](Self::read).
        unsafe fn write(span: &Span, at: u32, value: &Self);
    }
}

/// Whether all values of this type start at a multiple of 8, whatever the stride: then it is one of the size.
const fn is_aligned<T>() -> bool {
    size_of::<T>().is_multiple_of(Mem::ALIGN)
}

/// Whether a value of this type is a few whole words.
const fn is_few<T>() -> bool {
    is_aligned::<T>() && size_of::<T>() <= 64
}

impl<T: Frame> Access for T {
    #[inline(always)]
    fn suits(size: u32, stride: u32) -> bool {
        size as usize == size_of::<T>() && (!is_aligned::<T>() || stride.is_multiple_of(Mem::ALIGN as u32))
    }

    #[inline(always)]
    fn is_of(&self, _: u32) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn read(span: &Span, at: u32, into: &mut T) {
        let into = into.as_mut_bytes();
        if const { is_few::<T>() } {
            // SAFETY: the caller's promise; a stride of such values is a multiple of 8, as spans are.
            unsafe { span.read_few_within(at, into) };
        } else {
            // SAFETY: as above, if aligned.
            unsafe { span.read_within(at, into, const { is_aligned::<T>() }) };
        }
    }

    #[inline(always)]
    unsafe fn write(span: &Span, at: u32, value: &T) {
        let from = value.as_bytes();
        if const { is_few::<T>() } {
            // SAFETY: as in `read`.
            unsafe { span.write_few_within(at, from) };
        } else {
            // SAFETY: as in `read`.
            unsafe { span.write_within(at, from, const { is_aligned::<T>() }) };
        }
    }
}

/// Bytes are checked at each access.
impl Access for [u8] {
    fn suits(_: u32, _: u32) -> bool {
        true
    }

    fn is_of(&self, size: u32) -> bool {
        self.len() == size as usize
    }

    unsafe fn read(span: &Span, at: u32, into: &mut [u8]) {
        span.read(at, into);
    }

    unsafe fn write(span: &Span, at: u32, value: &[u8]) {
        span.write(at, value);
    }
}
