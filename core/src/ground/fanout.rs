//! Fan-out: the directory entries that together are one queue with several consumers.

/// The flag of a directory entry that belongs to a fan-out. A program that does not know it skips the entry.
pub const FANOUT: u32 = 2;
/// The most consumers of one queue: a producer looks at each in turn.
pub const MAX_CONSUMERS: u32 = 32;

/// Which part of a queue with several consumers a directory entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fanout {
    /// 0 for the ring with its producer; from 1 on, a consumer: one more than its number. The entries of a
    /// queue follow each other in this order.
    pub index: u32,
    /// How many consumers the queue may have at once, 1 to 32; 0 of every other channel.
    pub count: u32,
}

impl Fanout {
    /// Of a channel that is no fan-out.
    pub const NONE: Self = Self { index: 0, count: 0 };

    /// Whether the channel is a fan-out.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.count > 0
    }

    /// The number of the consumer, from 0, that the entry describes; `None` of the ring, and of what is no fan-out.
    #[must_use]
    pub const fn consumer(&self) -> Option<u32> {
        self.index.checked_sub(1)
    }

    /// Whether the numbers can belong together.
    pub(crate) const fn is_sound(&self) -> bool {
        self.count <= MAX_CONSUMERS && self.index <= self.count
    }
}
