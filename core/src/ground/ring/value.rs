//! Values in rings: a message, whose size the compiler knows, or bytes, whose number the channel gives.

use crate::ground::message::{Message, ValueType};
use crate::ground::sync::Mem;

/// The content of a slot: any [`Message`], or `[u8]` for a type that is known only at run time (by its
/// [`ValueType`](crate::ground::message::ValueType)).
pub trait Value: access::Access + 'static {}

impl<T: Message> Value for T {}
impl Value for [u8] {}

/// How rings get at the bytes of a value; no part of the interface.
pub(crate) mod access {
    use crate::ground::message::ValueType;

    /// A value as its bytes, and what the compiler knows of them.
    pub trait Access {
        /// The type as a region's directory knows it; none of bytes.
        const TYPE: Option<ValueType>;
        /// Whether all values have one size, which the compiler knows.
        const SIZED: bool;
        /// Whether all values in a ring start at a multiple of 8: then the size is a multiple of 8.
        const ALIGNED: bool;
        /// Whether a value is a few whole words.
        const FEW: bool;

        /// Whether values of `size` bytes in slots of `stride` are of this type.
        fn suits(size: u32, stride: u32) -> bool;

        /// The value's bytes.
        fn bytes(&self) -> &[u8];

        /// The value's bytes, to be overwritten.
        fn bytes_mut(&mut self) -> &mut [u8];
    }
}

impl<T: Message> access::Access for T {
    const TYPE: Option<ValueType> = Some(ValueType::of::<T>());
    const SIZED: bool = true;
    const ALIGNED: bool = size_of::<T>().is_multiple_of(Mem::ALIGN);
    const FEW: bool = Self::ALIGNED && size_of::<T>() <= 64;

    #[inline(always)]
    fn suits(size: u32, stride: u32) -> bool {
        size as usize == size_of::<T>() && (!Self::ALIGNED || stride.is_multiple_of(Mem::ALIGN as u32))
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    #[inline(always)]
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.as_mut_bytes()
    }
}

impl access::Access for [u8] {
    const TYPE: Option<ValueType> = None;
    const SIZED: bool = false;
    const ALIGNED: bool = false;
    const FEW: bool = false;

    fn suits(_: u32, _: u32) -> bool {
        true
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline(always)]
    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}
