//! Types that can be stored in a region: [`Message`], their canonical descriptors and structural hashes.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A type whose every bit pattern is a value and which has no padding, so that it can be copied in
/// and out of shared memory byte by byte.
///
/// Implement it with [`message!`](crate::message); scalars and arrays have it already. A wrong
/// [`SHAPE`](Self::SHAPE) is a mistake that costs the type check, not safety.
pub trait Message: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + Send + 'static {
    /// The structure, from which descriptor and hash come.
    const SHAPE: Shape;

    /// The type's name, for people; empty if it has none.
    const NAME: &'static str = "";

    /// FNV-1a (64 bits) of the canonical descriptor; never 0.
    const HASH: u64 = Self::SHAPE.hash();
}

/// A type as a region's directory knows it: for programs that have no Rust type for it, such as those in
/// other languages. A [`Message`] has the same at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueType {
    /// FNV-1a (64 bits) of the canonical descriptor; 0 is no type.
    pub hash: u64,
    /// Bytes of a value.
    pub size: u32,
}

impl ValueType {
    /// No type.
    pub const NONE: Self = Self { hash: 0, size: 0 };

    /// The type `T`.
    #[must_use]
    pub const fn of<T: Message>() -> Self {
        Self { hash: T::HASH, size: size_of::<T>() as u32 }
    }
}

/// The structure of a [`Message`].
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A scalar by its descriptor name: `u8` to `u64`, `i8` to `i64`, `f32`, `f64`.
    Scalar(&'static str),
    /// An array: the length and the element's shape.
    Array(usize, &'static Shape),
    /// Named fields at offsets, and the total size in bytes.
    Struct(&'static [Field], usize),
}

/// A field of a struct.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its offset in bytes.
    pub offset: usize,
    /// Its shape.
    pub shape: Shape,
    /// What people are told of it; the hash does not depend on it.
    pub about: About,
}

/// What people are told of a field.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The unit of its value; empty if that is not said.
    pub unit: &'static str,
    /// The first line of its documentation.
    pub help: &'static str,
    /// The names of its values, if those have names.
    pub values: &'static [(&'static str, i64)],
}

impl About {
    /// Nothing.
    pub const NOTHING: Self = Self { unit: "", help: "", values: &[] };

    /// The same, with a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The same, with a line of help.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// The same, with names of values.
    #[must_use]
    pub const fn values(mut self, values: &'static [(&'static str, i64)]) -> Self {
        self.values = values;
        self
    }
}

const FNV_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;

impl Shape {
    /// FNV-1a (64 bits) of the canonical descriptor. 0 stands for "untyped", so a hash of 0 is
    /// given as 1.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        not_untyped(self.feed(FNV_BASIS))
    }

    /// The same of a shape that is given by the bytes of its canonical descriptor.
    #[must_use]
    pub const fn hash_of(descriptor: &[u8]) -> u64 {
        not_untyped(feed_bytes(FNV_BASIS, descriptor))
    }

    /// The same of the end of a stream whose parts have this canonical descriptor.
    pub(crate) const fn hash_of_end(part: &str) -> u64 {
        not_untyped(feed_str(feed_str(feed_str(FNV_BASIS, "{stream:"), part), "@0;size=4}"))
    }

    const fn feed(&self, hash: u64) -> u64 {
        match self {
            Self::Scalar(name) => feed_str(hash, name),
            Self::Array(len, element) => {
                let hash = feed_number(feed_str(hash, "["), *len);
                element.feed(feed_str(hash, "]"))
            }
            Self::Struct(fields, size) => {
                let mut hash = feed_str(hash, "{");
                let mut i = 0;
                while i < fields.len() {
                    hash = feed_str(feed_str(hash, fields[i].name), ":");
                    hash = feed_str(fields[i].shape.feed(hash), "@");
                    hash = feed_str(feed_number(hash, fields[i].offset), ";");
                    i += 1;
                }
                feed_str(feed_number(feed_str(hash, "size="), *size), "}")
            }
        }
    }
}

/// A field's name as it is written without the mark of a raw identifier.
#[doc(hidden)]
#[must_use]
pub const fn plain_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', rest @ ..] => match core::str::from_utf8(rest) {
            Ok(plain) => plain,
            Err(_) => name,
        },
        _ => name,
    }
}

const fn not_untyped(hash: u64) -> u64 {
    if hash == 0 { 1 } else { hash }
}

const fn feed_str(hash: u64, text: &str) -> u64 {
    feed_bytes(hash, text.as_bytes())
}

const fn feed_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(FNV_PRIME);
        i += 1;
    }
    hash
}

const fn feed_number(hash: u64, number: usize) -> u64 {
    let hash = if number >= 10 { feed_number(hash, number / 10) } else { hash };
    (hash ^ (b'0' as u64 + (number % 10) as u64)).wrapping_mul(FNV_PRIME)
}

/// The canonical descriptor, whose bytes are hashed. The grammar is in FORMAT.md.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(name) => f.write_str(name),
            Self::Array(len, element) => write!(f, "[{len}]{element}"),
            Self::Struct(fields, size) => {
                f.write_str("{")?;
                for field in *fields {
                    write!(f, "{}:{}@{};", field.name, field.shape, field.offset)?;
                }
                write!(f, "size={size}}}")
            }
        }
    }
}

macro_rules! scalars {
    ($($scalar:ident)+) => {
        $(impl Message for $scalar {
            const SHAPE: Shape = Shape::Scalar(stringify!($scalar));
        })+
    };
}
scalars!(u8 u16 u32 u64 i8 i16 i32 i64 f32 f64);

impl<T: Message, const N: usize> Message for [T; N] {
    const SHAPE: Shape = Shape::Array(N, &T::SHAPE);
}

/// Defines plain structs that can be sent through a typed channel.
///
/// Each becomes `#[repr(C)]`, `Copy`, and a [`Message`] with a structural hash. A struct with padding
/// is refused at compile time: put the padding in as a field.
///
/// ```
/// strait_core::message! {
///     /// What the encoder saw.
///     pub struct Reading {
///         pub time_ns: u64,
///         pub angle_rad: f64,
///     }
/// }
/// use strait_core::Message;
/// assert_eq!(Reading::SHAPE.to_string(), "{time_ns:u64@0;angle_rad:f64@8;size=16}");
/// ```
///
/// A field may have a unit, or names for its values, behind its type. They are no part of the hash; with the first line
/// of its documentation they are what [`describe!`](crate::describe) tells tools:
///
/// ```
/// strait_core::message! {
///     pub struct Axis {
///         /// From the switch at the end of travel.
///         pub position: f32 [unit = "mm"],
///         pub state: u32 [values = { idle = 0, moving = 1, faulty = 9 }],
///     }
/// }
/// ```
///
/// A struct with a hole in it does not compile:
///
/// ```compile_fail
/// strait_core::message! {
///     struct Holed { small: u8, large: u64 }
/// }
/// ```
///
/// Nor does one with a type that has forbidden bit patterns:
///
/// ```compile_fail
/// strait_core::message! {
///     struct Switch { on: bool }
/// }
/// ```
#[macro_export]
macro_rules! message {
    ($($items:tt)*) => {
        $crate::__message! { ($crate, "strait_core::__private::zerocopy") $($items)* }
    };
}

/// The body of `message!`; its first argument is the path of zerocopy.
#[doc(hidden)]
#[macro_export]
macro_rules! __message {
    (($krate:tt, $zerocopy:tt) $(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$($field_meta:tt)*])* $field_vis:vis $field:ident : $type:ty
                    $([$($note:ident = $noted:tt),* $(,)?])?
            ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            $crate::__private::zerocopy::FromBytes,
            $crate::__private::zerocopy::IntoBytes,
            $crate::__private::zerocopy::Immutable,
            $crate::__private::zerocopy::KnownLayout,
        )]
        #[zerocopy(crate = $zerocopy)]
        #[repr(C)]
        $vis struct $name {
            $($(#[$($field_meta)*])* $field_vis $field: $type,)*
        }

        impl $crate::Message for $name {
            const NAME: &'static str = $crate::__private::plain_name(stringify!($name));
            const SHAPE: $crate::format::Shape = $crate::format::Shape::Struct(
                &[$($crate::format::Field {
                    name: $crate::__private::plain_name(stringify!($field)),
                    offset: ::core::mem::offset_of!($name, $field),
                    shape: <$type as $crate::Message>::SHAPE,
                    about: $crate::format::About::NOTHING.help($crate::__help!($([$($field_meta)*])*))
                        $($(.$note($crate::__noted!($noted)))*)?,
                },)*],
                ::core::mem::size_of::<$name>(),
            );
        }
    )*};
}

/// The first line of documentation among a field's attributes.
#[doc(hidden)]
#[macro_export]
macro_rules! __help {
    () => { "" };
    ([doc = $text:expr] $($rest:tt)*) => { $text };
    ([$($other:tt)*] $($rest:tt)*) => { $crate::__help!($($rest)*) };
}

/// The value of a note behind a field.
#[doc(hidden)]
#[macro_export]
macro_rules! __noted {
    ({ $($name:ident = $value:expr),* $(,)? }) => {
        &[$(($crate::__private::plain_name(stringify!($name)), $value)),*]
    };
    ($value:literal) => { $value };
}
