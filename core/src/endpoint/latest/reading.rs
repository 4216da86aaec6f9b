//! The result of reading a latest value.

/// The result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// A value that this reader has not read before.
    Fresh(T),
    /// The value that this reader read last, which is still the latest.
    Stale(T),
    /// Nothing has ever been published.
    Empty,
    /// The writer was faster in all of the reader's tries, or misbehaves. Read again.
    Contended,
}

impl<T> Reading<T> {
    /// The value, fresh or stale.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Fresh(value) | Self::Stale(value) => Some(value),
            Self::Empty | Self::Contended => None,
        }
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Fresh(value) => Reading::Fresh(change(value)),
            Self::Stale(value) => Reading::Stale(change(value)),
            Self::Empty => Reading::Empty,
            Self::Contended => Reading::Contended,
        }
    }
}

/// Tag, length and number of a value that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueInfo {
    /// The writer's format tag.
    pub tag: u32,
    /// The value's length in bytes. If that is more than the buffer given, the buffer holds its
    /// beginning.
    pub len: usize,
    /// The number of values published up to this one.
    pub number: u64,
}
