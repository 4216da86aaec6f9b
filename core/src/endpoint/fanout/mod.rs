//! Queues with one producer and several consumers, each of which gets every message: one ring, in which each
//! consumer has a place of its own.
//!
//! ```text
//!                          +--> consumer 0, at its head
//!   producer --> one ring -+--> consumer 1, at its head      the producer is bounded by the least head
//!                          +--> consumer 2, at its head
//! ```
//!
//! # Guarantees
//!
//! - A consumer gets every message from when it joined until it leaves, in order. The producer never overwrites one
//!   that a consumer that has joined has not released.
//! - A message is copied once, however many consumers there are, and a send costs what a send into an ordinary queue
//!   costs; when the space that is known of is used up, it looks at each consumer's head in addition.
//! - Messages need loads and stores alone, so any side can be firmware.
//!
//! # Trade-offs
//!
//! - The slowest consumer bounds the producer: one that is stopped holds up all. The lossy queue, whose producer never
//!   waits, is a [broadcast](crate::Channel::broadcast).
//! - Consumers that sleep share one word: a send wakes all that sleep, those of a doorbell too.
//! - While nobody has joined, messages go nowhere, and there is always space.
//!
//! # Joining, leaving, and dying
//!
//! Each consumer is a role. One that joins where nobody was, or where the last one has left, starts at the newest
//! message: what was sent before is not for it, except one message at most. One that takes over from a dead consumer starts where that one's
//! released messages end, since it stands for it: nothing is lost, and as many messages come again as for a queue with
//! one consumer, see [`ConsumerOptions`](crate::ConsumerOptions).
//!
//! A dead consumer holds the producer up until its death is proven. The producer asks only while it has no space, at
//! the probe period; after that the dead one bounds nobody. A successor that comes later than that starts at the oldest
//! message that is still safe, and [`missed`](FanoutConsumer::missed) says how many were lost. A consumer in another
//! domain cannot be proven dead from here: there a successor, which has the proof, goes on or leaves.
//!
//! # If a peer misbehaves
//!
//! A consumer with an impossible head holds the producer up as a stopped one does, and no more:
//! [`slowest`](FanoutProducer::slowest) and `strait inspect` name it. Consumers cannot disturb each other, except in the
//! word on which they sleep, where a misbehaving one can delay a wake up to the probe period. A producer that misbehaves
//! is a fault for each consumer, as in an ordinary queue.

mod consumer;
mod group;
pub(in crate::endpoint) mod inspect;
mod producer;
mod waits;

pub use consumer::FanoutConsumer;
pub use producer::{FanoutProducer, SlowestConsumer};
