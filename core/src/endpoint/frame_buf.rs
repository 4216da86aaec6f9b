//! A frame as a value of its own, outside any region.

use heapless::Vec;

/// A frame of up to `N` bytes: payload, tag, and the sequence number it was received with.
///
/// # Examples
///
/// ```
/// use strait_core::FrameBuf;
/// let frame = FrameBuf::<16>::from_slice(7, b"hello").unwrap();
/// assert_eq!((frame.tag(), frame.payload()), (7, &b"hello"[..]));
/// assert!(FrameBuf::<4>::from_slice(7, b"hello").is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameBuf<const N: usize> {
    payload: Vec<u8, N>,
    tag: u32,
    sequence: u32,
}

impl<const N: usize> FrameBuf<N> {
    /// An empty frame.
    #[must_use]
    pub const fn new() -> Self {
        Self { payload: Vec::new(), tag: 0, sequence: 0 }
    }

    /// A frame of these bytes; `None` if they are more than `N`.
    #[must_use]
    pub fn from_slice(tag: u32, payload: &[u8]) -> Option<Self> {
        let payload = Vec::from_slice(payload).ok()?;
        Some(Self { payload, tag, sequence: 0 })
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The sender's tag.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// Sets the tag.
    pub fn set_tag(&mut self, tag: u32) {
        self.tag = tag;
    }

    /// The sequence number it was received with; 0 for one that was not.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    pub(crate) fn set_sequence(&mut self, sequence: u32) {
        self.sequence = sequence;
    }

    /// Makes the payload `len` bytes long and lets `fill` write them; `false` if they do not fit.
    pub(crate) fn fill_with(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        self.payload.clear();
        if self.payload.resize(len, 0).is_err() {
            return false;
        }
        fill(&mut self.payload);
        true
    }
}
