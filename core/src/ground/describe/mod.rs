//! A region's description of its own types: the block that a creator may write, and reading it.
//!
//! ```text
//! header: compat bit 0, offset and length ──> | length of the text | CRC-32C | text ... zeros |
//! ```
//!
//! The text is one line a type, and lines with notes on its fields behind it; FORMAT.md has the grammar. A type
//! proves itself: the hash of its descriptor is the one in the directory. Nothing here is believed further: the
//! block is checked against the region's length and its checksum, and copied out before it is read.

mod parse;
mod text;

use core::fmt;

use super::crc::Crc;
use super::header::{Header, at};
use super::message::{Message, Shape};
use super::sync::Mem;

pub use parse::{DescribedType, Note, Remark, types};
pub use text::{text, text_len};

/// Feature that a reader may ignore: the region describes its types.
pub const DESCRIBED: u32 = 1;
/// The longest text of a description.
pub const MAX_DESCRIPTION: u32 = 1 << 16;
/// Bytes of the block before the text.
const HEAD: u32 = 8;

/// A type as a description lists it; see [`describe!`](crate::describe).
#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    /// Its name; empty of a type without one.
    pub name: &'static str,
    /// Its structure.
    pub shape: Shape,
}

impl TypeInfo {
    /// The type `T`.
    #[must_use]
    pub const fn of<T: Message>() -> Self {
        Self { name: T::NAME, shape: T::SHAPE }
    }
}

/// Bytes of the block for a text of so many.
pub(super) const fn block_len(text: usize) -> u32 {
    if text == 0 { 0 } else { HEAD + (text as u32).next_multiple_of(4) }
}

/// Writes the block of a region that is being laid out.
pub(super) fn write(mem: &Mem, offset: u32, text: &str) {
    let bytes = text.as_bytes();
    mem.setup_write(offset, bytes.len() as u32);
    mem.setup_write(offset + 4, Crc::new().bytes(bytes).finish());
    for (n, chunk) in bytes.chunks(4).enumerate() {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        mem.setup_write(offset + HEAD + 4 * n as u32, u32::from_le_bytes(word));
    }
}

/// Where a region's description is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    text: u32,
    len: u32,
    crc: u32,
}

impl Description {
    /// The description of a region, if it has one. Four loads.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::Place`] if the header leads to no block.
    ///
    /// # Examples
    ///
    /// ```
    /// use strait_core::format::describe::{Description, types};
    /// use strait_core::{Channel, Message, Plan, StaticRegion, describe, port::NoSystem, port::Port};
    /// strait_core::message! {
    ///     pub struct Torque {
    ///         pub axis: u32,
    ///         /// At the shaft.
    ///         pub newton_metres: f32 [unit = "Nm"],
    ///     }
    /// }
    /// const PLAN: Plan = Plan::new(&[Channel::slots::<Torque>("torque", 4)])
    ///     .participants(2)
    ///     .described(describe!(Torque));
    /// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
    ///
    /// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
    /// let mem = region.port().mem();
    /// let description = Description::find(mem, region.header()).unwrap().unwrap();
    /// let mut text = [0; 200];
    /// let found = types(description.read(mem, &mut text).unwrap()).next().unwrap();
    /// assert_eq!((found.name, found.hash()), ("Torque", Torque::HASH));
    /// assert_eq!(found.notes().next().unwrap().path, "newton_metres");
    /// ```
    pub fn find(mem: &Mem, header: &Header) -> Result<Option<Self>, DescriptionError> {
        if header.compat & DESCRIBED == 0 {
            return Ok(None);
        }
        let (offset, len) = (mem.setup_read(at::DESCRIPTION), mem.setup_read(at::DESCRIPTION_LEN));
        let end = offset.checked_add(len).filter(|&end| end <= header.total_len);
        let sound = end.is_some()
            && offset.is_multiple_of(4)
            && offset >= header.participants_end()
            && (HEAD..=HEAD + MAX_DESCRIPTION).contains(&len);
        if !sound {
            return Err(DescriptionError::Place);
        }
        let found =
            Self { text: offset + HEAD, len: mem.setup_read(offset), crc: mem.setup_read(offset + 4) };
        if found.len <= len - HEAD { Ok(Some(found)) } else { Err(DescriptionError::Place) }
    }

    /// Bytes of the text.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies the text into `into`, and checks the copy. Steps: in proportion to its length.
    ///
    /// # Errors
    ///
    /// [`DescriptionError`].
    pub fn read<'b>(&self, mem: &Mem, into: &'b mut [u8]) -> Result<&'b str, DescriptionError> {
        let needed = self.len();
        let into = into.get_mut(..needed).ok_or(DescriptionError::TooSmall { needed })?;
        let part = mem.span(self.text, self.len).ok_or(DescriptionError::Place)?;
        part.read(0, into);
        if Crc::new().bytes(into).finish() != self.crc {
            return Err(DescriptionError::Checksum);
        }
        core::str::from_utf8(into).map_err(|_| DescriptionError::Checksum)
    }
}

/// Error of reading a region's description. Its channels can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DescriptionError {
    /// The header leads to no block.
    Place,
    /// The text does not match its checksum, or is not UTF-8.
    Checksum,
    /// The buffer is too short for the text.
    TooSmall {
        /// Bytes of the text.
        needed: usize,
    },
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place => f.write_str(
                "the region's header names a place for the description of its types where there is none: it was \
                 damaged; values can only be shown as bytes",
            ),
            Self::Checksum => f.write_str(
                "the description of the region's types does not match its checksum: it was damaged; values can only \
                 be shown as bytes",
            ),
            Self::TooSmall { needed } => {
                write!(f, "the description of the region's types has {needed} bytes; give a buffer as long")
            }
        }
    }
}

impl core::error::Error for DescriptionError {}
