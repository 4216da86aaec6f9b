//! Errors of a plan.

use core::fmt;

/// A plan that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A name is empty, longer than 31 bytes, or holds a slash or a NUL.
    Name,
    /// Two channels have the same name.
    Duplicate,
    /// A capacity is not a power of two from 1 to 2^30.
    Capacity,
    /// Capacity and frame size do not fit together.
    Geometry,
    /// A semaphore's highest count is not 1 to 2^30, or its initial count is above that; or permits are not 1 to
    /// 4096; or a pool's blocks are not 1 to 4096, or empty.
    Count,
    /// The line size is not a power of two from 4 to 4096.
    Line,
    /// Not 1 to 511 participants, all domains together.
    Participants,
    /// The region would reach 2 GiB.
    TooLarge,
    /// Payload is to be split off, of a channel that publishes in its payload, or is locked; or the
    /// boundary is not a power of two from 8 to 2^20.
    Apart,
    /// A channel that is neither a queue nor one of calls has a doorbell. Only consumers of queues and servers can
    /// share one.
    Doorbell,
    /// A change is expected less than once in 71 minutes, or of a lock.
    Period,
    /// A channel has no lane, or more than 256, or more urgent lanes than lanes; or one that has no lanes of this
    /// sort has several.
    Lanes,
    /// The description of the types has more than 65536 bytes.
    Description,
    /// A channel has no consumer, or more than 32; or one that is not a queue of slots or compact, or has several
    /// producers, has several consumers.
    Consumers,
}

/// A plan that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The channel to blame, by its place in the plan, or `None` for the plan as a whole.
    pub channel: Option<usize>,
    /// The fault.
    pub fault: Fault,
}

impl PlanError {
    pub(super) const fn plan(fault: Fault) -> Self {
        Self { channel: None, fault }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(channel) = self.channel {
            write!(f, "channel {channel} of the plan: ")?;
        }
        f.write_str(match self.fault {
            Fault::Name => "a name must have 1 to 31 bytes, no slash and no NUL",
            Fault::Duplicate => "another channel has the same name; give each a name of its own",
            Fault::Capacity => "the capacity must be a power of two, 1 to 2^30",
            Fault::Geometry => {
                "capacity and frame size do not fit: a frame with its 16-byte header may take half \
                 the ring at most, a type must not be empty, a latest value or a broadcast must have 2 to 65536 \
                 buffers or slots, calls must have 32 places at most"
            }
            Fault::Count => {
                "a semaphore's highest count must be 1 to 2^30, and its initial count must not be above it; \
                 permits and blocks of a pool must be 1 to 4096, and blocks not empty"
            }
            Fault::Line => "the line must be a power of two from 4 to 4096",
            Fault::Participants => "the participants must be 1 to 511, all domains together",
            Fault::TooLarge => "the region would reach 2 GiB; make the channels smaller",
            Fault::Doorbell => {
                "only queues and calls can share a doorbell; use `consumer_may_block` for latest values and mutexes, \
                 and nothing for semaphores, permits and pools"
            }
            Fault::Period => {
                "an expected period must be at most 71 minutes, and of a channel that is no lock"
            }
            Fault::Lanes => {
                "a queue must have 1 to 256 producers, calls 1 to 256 clients, and at most as many urgent ones; other \
                 channels have no lanes"
            }
            Fault::Description => {
                "the description of the message types must have 65536 bytes at most; describe fewer of them"
            }
            Fault::Consumers => {
                "a queue of slots or compact with one producer can have 1 to 32 consumers; other channels have none \
                 of their own"
            }
            Fault::Apart => {
                "payload can be split off only of compact queues, latest values and broadcasts, at a power of two from \
                 8 to 2^20 bytes; send frames as values of one size, and put locks in another region"
            }
        })
    }
}

impl core::error::Error for PlanError {}
