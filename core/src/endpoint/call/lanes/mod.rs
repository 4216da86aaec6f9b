//! Calls of several clients to one server: each client has a lane, which is a channel of calls of its own, and the server
//! looks at one after the other.
//!
//! ```text
//!   client 0 <--> places 0 --+
//!   client 1 <--> places 1 --+--> one server      all ring the server's word; the server rings each client's own
//!   client 2 <--> places 2 --+
//! ```
//!
//! # Guarantees
//!
//! - A call costs what a call of an only client costs: it is the same code on the same words.
//! - A client that is dead, stopped or slow, or leaves its answers in their places, holds up nobody else: an answer is
//!   written where its request's client has kept a place for it. An answer wakes that client alone.
//! - Each request comes with the number of its lane, known from the places that it was in, not from its content.
//! - Requests of one lane come in order; between lanes they take turns as [`Sweep`](crate::protocol::lanes::Sweep) says.
//! - A damaged lane is reported once and left out; the others go on.
//! - A reply that is kept holds up its own lane alone.
//!
//! # If the server dies
//!
//! As of a consumer of lanes, lane 0's role stands for all, and a successor finds in each lane what the successor of an
//! only client's server does. A client looks at the server's role in its own lane, and learns of the death within its
//! probe period.

mod clients;
mod error;
mod server;

pub use error::ServeLanesError;
pub use server::LanesServer;
