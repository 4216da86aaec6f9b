//! Several formats of one value, side by side in its bytes: a writer offers all that it can make, and a reader takes the
//! first that it knows.
//!
//! Each format is its tag, its length in bytes, and its bytes, padded with zeros to a multiple of four; tag and length are
//! 32 bits, little-endian. A value of one format needs none of this: a latest value carries a tag beside it already.
//!
//! # Bounds
//!
//! No heap. [`write()`] and [`find`] take steps in proportion to the bytes and the number of formats.
//!
//! # If a peer misbehaves
//!
//! Whatever the bytes are, the formats read from them are parts of them; a length that does not fit ends the list.
//!
//! # Examples
//!
//! A clipboard: the same text as UTF-8 and as UTF-16, in one latest value.
//!
//! ```
//! use strait_core::{Channel, Plan, StaticRegion, formats, port::NoSystem};
//! const UTF_8: u32 = 1;
//! const UTF_16: u32 = 2;
//! const PLAN: Plan = Plan::new(&[Channel::latest_bytes("clipboard", 64)]).participants(2);
//! static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
//!
//! let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
//! let mut buffer = [0; 64];
//! let len = formats::write(&mut buffer, &[(UTF_16, b"O\0k\0"), (UTF_8, b"Ok")]).unwrap();
//! region.latest_writer::<[u8]>("clipboard").unwrap().publish_from(formats::TAG, &buffer[..len]).unwrap();
//!
//! // A reader that knows UTF-8 alone, and one that prefers UTF-16.
//! let mut reader = region.latest_reader::<[u8]>("clipboard").unwrap();
//! let mut read = [0; 64];
//! reader.read_into(&mut read);
//! assert_eq!(formats::find(&read[..len], &[UTF_8]), Some((UTF_8, &b"Ok"[..])));
//! assert_eq!(formats::find(&read[..len], &[UTF_16, UTF_8]), Some((UTF_16, &b"O\0k\0"[..])));
//! assert_eq!(formats::find(&read[..len], &[3]), None);
//! ```

/// The tag of a latest value whose bytes are a list of formats: `"FMTS"`.
pub const TAG: u32 = u32::from_le_bytes(*b"FMTS");

/// Bytes before the bytes of each format.
const HEADER: usize = 8;

/// How many bytes [`write()`] needs for a format of `len` bytes; `None` if it is no length that a region can have.
#[must_use]
pub const fn space(len: usize) -> Option<usize> {
    match len.checked_next_multiple_of(4) {
        Some(padded) => padded.checked_add(HEADER),
        None => None,
    }
}

/// Writes these formats into `buffer`, in the order given, and returns how many bytes they take.
/// `None` if the buffer is too short; what it holds then is of no use.
#[must_use]
pub fn write(buffer: &mut [u8], formats: &[(u32, &[u8])]) -> Option<usize> {
    let mut used = 0;
    for (tag, bytes) in formats {
        let len = u32::try_from(bytes.len()).ok()?;
        let end = space(bytes.len())?.checked_add(used)?;
        let place = buffer.get_mut(used..end)?;
        place[..4].copy_from_slice(&tag.to_le_bytes());
        place[4..HEADER].copy_from_slice(&len.to_le_bytes());
        let (value, padding) = place[HEADER..].split_at_mut(bytes.len());
        value.copy_from_slice(bytes);
        padding.fill(0);
        used = end;
    }
    Some(used)
}

/// The formats in the bytes of a value, in their order, each with its tag.
#[must_use]
pub fn read(value: &[u8]) -> Formats<'_> {
    Formats { rest: value }
}

/// The format that a reader prefers: of the tags that it `knows`, the first that is there.
#[must_use]
pub fn find<'a>(value: &'a [u8], knows: &[u32]) -> Option<(u32, &'a [u8])> {
    knows.iter().find_map(|tag| read(value).find(|(found, _)| found == tag))
}

/// The formats of a value; see [`read`].
#[derive(Clone, Debug)]
pub struct Formats<'a> {
    /// What has not been read yet.
    rest: &'a [u8],
}

impl<'a> Iterator for Formats<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, rest) = self.rest.split_first_chunk::<HEADER>()?;
        let [a, b, c, d, e, f, g, h] = *header;
        let (tag, len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]) as usize);
        let bytes = rest.get(..len)?;
        self.rest = rest.get(len.checked_next_multiple_of(4)?..).unwrap_or_default();
        Some((tag, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::{find, read, space, write};

    #[test]
    fn what_is_written_is_read_in_its_order() {
        let formats: [(u32, &[u8]); 4] = [(7, b""), (1, b"a"), (2, b"abcd"), (7, b"again")];
        let needed: usize = formats.iter().map(|(_, bytes)| space(bytes.len()).unwrap()).sum();
        let mut buffer = [0xAA; 64];
        assert_eq!(write(&mut buffer, &formats), Some(needed));
        assert!(read(&buffer[..needed]).eq(formats));
        assert_eq!(find(&buffer[..needed], &[9, 2, 1]), Some((2, &b"abcd"[..])));
        assert_eq!(find(&buffer[..needed], &[7]), Some((7, &b""[..])), "the first of a tag");
        assert_eq!(write(&mut buffer[..needed - 1], &formats), None);
        assert_eq!(write(&mut [], &[]), Some(0));
    }

    /// A list that was cut short, or whose lengths are wrong, ends early, and within its bytes.
    #[test]
    fn bytes_that_are_no_formats_end_the_list() {
        let mut buffer = [0; 32];
        let len = write(&mut buffer, &[(1, b"abc"), (2, b"defgh")]).unwrap();
        for cut in 0..len {
            assert!(read(&buffer[..cut]).count() <= 2);
        }
        for len in [u32::MAX, u32::MAX - 3, 1 << 31, 25] {
            buffer[4..8].copy_from_slice(&len.to_le_bytes());
            assert_eq!(read(&buffer).next(), None, "{len}");
        }
    }
}
