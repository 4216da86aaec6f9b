//! The kinds of channels.

/// The kind of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A queue of frames of varying length, published in the slot (a byte ring).
    Frames,
    /// A queue of values of one type, published in the slot.
    Slots,
    /// A queue of values of one type, published by index: no word per slot.
    Compact,
    /// The latest of a stream of values.
    Latest,
    /// A value under a lock.
    Mutex,
    /// A count to be waited for.
    Semaphore,
    /// Permits that are recovered from dead holders.
    Permits,
    /// A stream of values from one writer to any number of readers, which a slow reader misses parts of.
    Broadcast,
    /// Calls: requests of one client, and a server's answers.
    Calls,
    /// Blocks of one size, each of which has one owner and is handed over without a copy.
    Pool,
}

impl Kind {
    /// The kind's number in the directory.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Frames => 1,
            Self::Slots => 2,
            Self::Compact => 3,
            Self::Latest => 4,
            Self::Mutex => 5,
            Self::Semaphore => 6,
            Self::Permits => 7,
            Self::Broadcast => 8,
            Self::Calls => 9,
            Self::Pool => 10,
        }
    }

    /// The kind of a number, or `None` for one that this version does not know.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Frames),
            2 => Some(Self::Slots),
            3 => Some(Self::Compact),
            4 => Some(Self::Latest),
            5 => Some(Self::Mutex),
            6 => Some(Self::Semaphore),
            7 => Some(Self::Permits),
            8 => Some(Self::Broadcast),
            9 => Some(Self::Calls),
            10 => Some(Self::Pool),
            _ => None,
        }
    }

    /// The kind's name, as tools print it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Slots => "slots",
            Self::Compact => "compact",
            Self::Latest => "latest",
            Self::Mutex => "mutex",
            Self::Semaphore => "semaphore",
            Self::Permits => "permits",
            Self::Broadcast => "broadcast",
            Self::Calls => "calls",
            Self::Pool => "pool",
        }
    }

    /// Whether it is a queue, with a producer and a consumer.
    #[must_use]
    pub const fn is_queue(self) -> bool {
        matches!(self, Self::Frames | Self::Slots | Self::Compact)
    }

    /// Whether it has two roles, the second of which can share a doorbell: queues, and calls.
    #[must_use]
    pub const fn has_two_roles(self) -> bool {
        self.is_queue() || matches!(self, Self::Calls)
    }

    /// Whether its payload can be split off from its control words: whether no word of it publishes, and
    /// nobody locks it.
    #[must_use]
    pub const fn can_split_payload(self) -> bool {
        matches!(self, Self::Compact | Self::Latest | Self::Broadcast)
    }

    /// Whether all of its users change the same words by compare-and-swap: locks, and a pool's blocks.
    #[must_use]
    pub const fn is_lock(self) -> bool {
        matches!(self, Self::Mutex | Self::Semaphore | Self::Permits | Self::Pool)
    }
}
