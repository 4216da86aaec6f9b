//! Queues with many producers and one consumer: each producer has a lane, which is an ordinary queue, and the
//! consumer looks at one after the other.
//!
//! ```text
//!   producer 0 --> ring 0 --+
//!   producer 1 --> ring 1 --+--> one consumer      all ring the same doorbell, if the consumer may sleep
//!   producer 2 --> ring 2 --+
//! ```
//!
//! # Guarantees
//!
//! - A send costs what a send into an ordinary queue costs: it is the same code on the same words.
//! - A producer that is dead, stopped or slow holds up nobody else. Its lane is a role, taken over with proof of
//!   death like any.
//! - Each message comes with the number of its lane, which is known from the ring that it was in, and not from
//!   its content: a producer cannot send in another's name.
//! - Messages of one lane come in order. Between lanes there is no order but the turns of
//!   [`Sweep`](crate::protocol::lanes::Sweep), or, if the consumer asks for that, the order of the messages' time
//!   stamps, as far as it is [known](crate::TimeOrder).
//! - A damaged lane is reported once and left out; the others go on.
//!
//! # Trade-offs
//!
//! - A receive that finds nothing costs one load a lane. Memory: one ring a lane, and in the consumer's handle
//!   one ordinary consumer a lane.
//!
//! # If the consumer dies
//!
//! The role of the whole is that of lane 0: a consumer claims it first and gives it back last, and claims the
//! consumer's roles of the other lanes only while it has it. So a successor with proof of death for lane 0's
//! owner finds the others free, or with an owner that is dead as well. Each lane's successor sees again what that
//! of an ordinary queue does: at most as many released messages as
//! [`release_every`](crate::ConsumerOptions::release_every) says, and one that was received last.
//!
//! # If a peer misbehaves
//!
//! Whatever is wrong in a lane is that lane's fault alone, except in the role word of lane 0 and in the word on
//! which the consumer sleeps, which a misbehaving peer can use to keep the role taken, or to delay a wake up to
//! the probe period.

mod batch;
mod by_time;
mod error;
mod frames;
pub(in crate::endpoint) mod group;
mod options;
pub(in crate::endpoint) mod ring_set;
mod typed;

pub use by_time::{Stamp, TimeOrder};
pub use error::{RecvLanesError, TryRecvLanesError};
pub use frames::LanesConsumer;
pub use options::LanesOptions;
pub use typed::TypedLanesConsumer;

/// A message, and the lane that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromLane<M> {
    /// The number of the lane, from 0: the ring in which the message was, whatever its bytes say.
    pub lane: u32,
    /// The message.
    pub message: M,
}
