//! Golden vectors: a region as a listing in hex, with a comment a line.
//!
//! A line is `offset: bytes  # comment`, offset and bytes in hex. Bytes that no line names are 0. The
//! last line has no bytes; its offset is the region's length.

/// A listing, read.
pub struct Listing {
    pub bytes: Vec<u8>,
    comments: Vec<(usize, String)>,
}

impl Listing {
    pub fn parse(text: &str) -> Self {
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let (content, comment) = line.split_once('#').unwrap_or((line, ""));
            let Some((offset, bytes)) = content.trim().split_once(':') else {
                assert!(content.trim().is_empty(), "line {} has no offset", number + 1);
                continue;
            };
            let offset = usize::from_str_radix(offset, 16).expect("an offset in hex");
            let bytes: Vec<u8> = bytes
                .split_whitespace()
                .map(|byte| u8::from_str_radix(byte, 16).expect("a byte in hex"))
                .collect();
            lines.push((offset, bytes, comment.trim().to_owned()));
        }
        let (length, end, _) = lines.last().expect("a listing has lines");
        assert!(end.is_empty(), "the last line gives the length");
        let mut listing = Self { bytes: vec![0; *length], comments: Vec::new() };
        let mut next = 0;
        for (offset, bytes, comment) in lines {
            assert!(offset >= next, "the line at {offset:04x} overlaps the one before");
            next = offset + bytes.len();
            listing.bytes[offset..next].copy_from_slice(&bytes);
            listing.comments.push((offset, comment));
        }
        listing
    }

    /// Panics at the first byte that differs, with its line of the listing.
    pub fn assert_matches(&self, found: &[u8]) {
        assert_eq!(found.len(), self.bytes.len(), "the region's length");
        let Some(at) = (0..found.len()).find(|&at| found[at] != self.bytes[at]) else { return };
        let about = self.comments.iter().rev().find(|(offset, _)| *offset <= at);
        panic!(
            "the byte at {at:04x} is {:02x}, the listing has {:02x}; the last line before it: {about:?}",
            found[at], self.bytes[at]
        );
    }
}
