//! Errors of endpoints: one small enum per operation.

use core::fmt;

use crate::ground::kind::Kind;
use crate::protocol::{Nothing, Refused, Violation};

/// Error of opening an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// The region has no channel of that name.
    NotFound,
    /// The channel is of another kind.
    Kind {
        /// The channel's kind.
        found: Kind,
    },
    /// The channel carries another type, or the same type from another build.
    Type,
    /// Another live participant has the role, or one that cannot be proven dead.
    Busy,
    /// The region was opened for reading only, or by the parent of this forked process. Open it for
    /// writing in this process to take a role.
    ReadOnly,
    /// The plan gives the role to another domain.
    Domain {
        /// The domain that the plan names.
        planned: u32,
    },
    /// The plan gives a lock to two domains, or the region's memory is a device's: its users cannot compare and swap
    /// one word, and the port has no [hardware lock](crate::port::Port::hardware_lock).
    NoCommonAtomics,
    /// The channel has several producers, or clients, each with a lane. Open it by the functions for lanes.
    Lanes {
        /// How many lanes it has.
        count: u32,
    },
    /// There is no lane of that number.
    NoLane {
        /// How many lanes the channel has.
        count: u32,
    },
    /// The channel has more lanes than this consumer or server has room for.
    TooManyLanes {
        /// How many lanes the channel has.
        count: u32,
    },
    /// The channel has several consumers, each of which gets every message. Open it by the functions for fan-out.
    Consumers {
        /// How many consumers it has.
        count: u32,
    },
    /// There is no consumer of that number.
    NoConsumer {
        /// How many consumers the channel has; 0 if it was not planned for several.
        count: u32,
    },
    /// The channel's directory entry contradicts itself.
    Damaged(&'static str),
    /// The channel's words contradict each other, so the role cannot be taken up.
    Fault(Violation),
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("the region has no channel of that name; check it against the plan"),
            Self::Kind { found } => write!(f, "the channel is of kind {}; open the endpoint of that kind", found.name()),
            Self::Type => {
                f.write_str("the channel carries another type; build both sides from one definition")
            }
            Self::Busy => f.write_str("another participant has this role and is not proven dead; let it leave first"),
            Self::ReadOnly => f.write_str(
                "this process has the region open for reading only, or inherited it by a fork; open it for writing",
            ),
            Self::Domain { planned } => write!(f, "the plan gives this role to domain {planned}; open it there, or change the plan"),
            Self::NoCommonAtomics => {
                f.write_str(
                    "the lock's users share no atomics, as they are in two domains or in a device's memory; keep it in one \
                     domain and in ordinary memory, or give the port a hardware lock",
                )
            }
            Self::Lanes { count } => {
                write!(f, "the channel has {count} lanes, for several producers or clients; open a lane, or all as a consumer or server of lanes")
            }
            Self::NoLane { count } => write!(f, "the channel has {count} lanes, numbered from 0; name one of them"),
            Self::TooManyLanes { count } => {
                write!(f, "the channel has {count} lanes; open a consumer or server that has room for as many")
            }
            Self::Consumers { count } => {
                write!(f, "the channel has {count} consumers that each get every message; open it as a fan-out")
            }
            Self::NoConsumer { count: 0 } => {
                f.write_str("the channel is not planned for several consumers; open it as an ordinary queue")
            }
            Self::NoConsumer { count } => {
                write!(f, "the channel has {count} consumers, numbered from 0; name one of them")
            }
            Self::Damaged(what) => write!(f, "the channel's directory entry is damaged ({what}); make the region anew"),
            Self::Fault(violation) => write!(f, "the channel is damaged: {violation}; make the region anew"),
        }
    }
}

impl core::error::Error for ChannelError {}

/// Error of a send that does not wait. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError {
    /// No space that the producer knows of; it may come.
    ///
    /// The queue need not be full of unread messages. The message that the consumer works on is in use
    /// until its next call, and the consumer tells the producer of what it is done with in groups: of up to
    /// 64 messages, a quarter of the ring at most, as
    /// [`ConsumerOptions::release_every`](crate::ConsumerOptions::release_every) says. A refusal asks it to
    /// tell at its next call; all sends before that are refused too. A producer that drops what is refused
    /// needs a ring a third larger than the messages it must hold, or a consumer with `release_every(1)`.
    Full,
    /// Longer than the channel's maximum; it can never fit.
    TooLarge,
    /// The number of bytes differs from the size of the channel's values.
    WrongSize,
    /// The consumer wrote what no honest consumer writes. Latched: every later call returns it.
    Fault(Violation),
}

impl From<Refused> for TrySendError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::TooLarge => Self::TooLarge,
            Refused::Violation(violation) => Self::Fault(violation),
        }
    }
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the queue is full; try again later"),
            Self::TooLarge => f.write_str(
                "the frame is longer than the channel's maximum; divide it, or plan for longer ones",
            ),
            Self::WrongSize => {
                f.write_str("the bytes are not as many as the channel's values have; see its plan")
            }
            Self::Fault(violation) => write!(
                f,
                "the queue's consumer broke the protocol: {violation}; close this end, and check that peer"
            ),
        }
    }
}

impl core::error::Error for TrySendError {}

/// Error of a send that waits. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// There was no space in time.
    TimedOut,
    /// The consumer is proven dead, or it was there and has left, and nobody has taken over yet. Only where
    /// [`end_with_peer`](crate::Producer::end_with_peer) is set.
    PeerGone,
    /// The queue is full, it has no consumer, and none can come: the region was removed, or made anew under its name.
    /// Open it by its name again. Asked once a [probe period](crate::WaitPolicy::probe), and when the time is up.
    Replaced,
    /// Longer than the channel's maximum; it can never fit.
    TooLarge,
    /// The number of bytes differs from the size of the channel's values.
    WrongSize,
    /// The consumer wrote what no honest consumer writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the queue stayed full for the time allowed"),
            Self::PeerGone => {
                f.write_str("the queue is full, and its consumer is gone; start one, and send again")
            }
            Self::Replaced => f.write_str(
                "the region's name leads to another region or to none, so no consumer can come to the full queue; open it again",
            ),
            Self::TooLarge => TrySendError::TooLarge.fmt(f),
            Self::WrongSize => TrySendError::WrongSize.fmt(f),
            Self::Fault(violation) => TrySendError::Fault(*violation).fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

/// Error of a receive that does not wait. Nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is nothing now; it may come.
    Empty,
    /// The buffer is shorter than the frame, which stays where it is.
    TooSmall {
        /// The frame's length.
        needed: usize,
    },
    /// The buffer's size differs from that of the channel's values.
    WrongSize {
        /// The size of the channel's values.
        needed: u32,
    },
    /// The producer wrote what no honest producer writes. Latched: every later call returns it.
    Fault(Violation),
}

impl From<Nothing> for TryRecvError {
    fn from(nothing: Nothing) -> Self {
        match nothing {
            Nothing::Empty => Self::Empty,
            Nothing::Violation(violation) => Self::Fault(violation),
        }
    }
}

impl From<WrongSize> for TryRecvError {
    #[inline]
    fn from(wrong: WrongSize) -> Self {
        Self::WrongSize { needed: wrong.needed }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the queue is empty; try again later"),
            Self::TooSmall { needed } => {
                write!(f, "the frame has {needed} bytes, the buffer fewer; give a longer one")
            }
            Self::WrongSize { needed } => WrongSize { needed: *needed }.fmt(f),
            Self::Fault(violation) => write!(
                f,
                "the queue's producer broke the protocol: {violation}; close this end, and check that peer"
            ),
        }
    }
}

impl core::error::Error for TryRecvError {}

/// Error of a receive that waits. Nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// Nothing came in time.
    TimedOut,
    /// The producer is proven dead, or it was there and has left; nobody has taken over yet, and all that it sent
    /// was received. Only where [`end_with_peer`](crate::Consumer::end_with_peer) is set.
    PeerGone,
    /// The queue is empty, it has no producer, and none can come: the region was removed, or made anew under its name.
    /// Open it by its name again. Asked once a [probe period](crate::WaitPolicy::probe), and when the time is up.
    Replaced,
    /// The buffer is shorter than the frame, which stays where it is.
    TooSmall {
        /// The frame's length.
        needed: usize,
    },
    /// The buffer's size differs from that of the channel's values.
    WrongSize {
        /// The size of the channel's values.
        needed: u32,
    },
    /// The producer wrote what no honest producer writes. Latched: every later call returns it.
    Fault(Violation),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the queue stayed empty for the time allowed"),
            Self::PeerGone => {
                f.write_str("the queue is empty, and its producer is gone; start one, and wait again")
            }
            Self::Replaced => f.write_str(
                "the region's name leads to another region or to none, so no producer can come to the empty queue; open it again",
            ),
            Self::TooSmall { needed } => TryRecvError::TooSmall { needed: *needed }.fmt(f),
            Self::WrongSize { needed } => WrongSize { needed: *needed }.fmt(f),
            Self::Fault(violation) => TryRecvError::Fault(*violation).fmt(f),
        }
    }
}

impl core::error::Error for RecvError {}

/// The number of bytes differs from the size of the channel's values. Nothing was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSize {
    /// The size of the channel's values.
    pub needed: u32,
}

impl fmt::Display for WrongSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the channel's values have {} bytes; give as many", self.needed)
    }
}

impl core::error::Error for WrongSize {}

#[cfg(feature = "embedded-io-07")]
mod io {
    use embedded_io::{Error, ErrorKind};

    use super::{RecvError, SendError, TryRecvError, TrySendError};

    impl Error for TrySendError {
        fn kind(&self) -> ErrorKind {
            match self {
                Self::Full => ErrorKind::WriteZero,
                Self::TooLarge => ErrorKind::OutOfMemory,
                Self::WrongSize => ErrorKind::InvalidInput,
                Self::Fault(_) => ErrorKind::InvalidData,
            }
        }
    }

    impl Error for SendError {
        fn kind(&self) -> ErrorKind {
            match self {
                Self::TimedOut => ErrorKind::TimedOut,
                Self::PeerGone | Self::Replaced => ErrorKind::BrokenPipe,
                Self::TooLarge => ErrorKind::OutOfMemory,
                Self::WrongSize => ErrorKind::InvalidInput,
                Self::Fault(_) => ErrorKind::InvalidData,
            }
        }
    }

    impl Error for TryRecvError {
        fn kind(&self) -> ErrorKind {
            match self {
                Self::Empty => ErrorKind::Other,
                Self::TooSmall { .. } => ErrorKind::OutOfMemory,
                Self::WrongSize { .. } => ErrorKind::InvalidInput,
                Self::Fault(_) => ErrorKind::InvalidData,
            }
        }
    }

    impl Error for RecvError {
        fn kind(&self) -> ErrorKind {
            match self {
                Self::TimedOut => ErrorKind::TimedOut,
                Self::PeerGone | Self::Replaced => ErrorKind::BrokenPipe,
                Self::TooSmall { .. } => ErrorKind::OutOfMemory,
                Self::WrongSize { .. } => ErrorKind::InvalidInput,
                Self::Fault(_) => ErrorKind::InvalidData,
            }
        }
    }
}
