//! The `no_std` core of strait: region format, protocols and endpoints over a piece of memory.
//!
//! Nothing here allocates, blocks without a bound, or trusts what a peer wrote.
//!
//! Messages need loads and stores alone. Claims and locks compare and swap; on a target without that, they
//! enter the critical section that the program supplies by the crate `critical-section`, once each time.
#![cfg_attr(not(test), no_std)]

pub mod endpoint;
pub mod ground;
#[cfg(strait_loom)]
pub mod model;
pub mod protocol;
pub mod stream;

pub use endpoint::*;
pub use ground::entry::Entry;
pub use ground::format::{Contents, FormatError, format};
pub use ground::frame::{Field, Frame, Shape, ValueType};
pub use ground::header::{AttachError, Header};
pub use ground::ident::Ident;
pub use ground::kind::Kind;
pub use ground::plan::{Channel, Plan, PlanError};
pub use ground::port::{Cache, Clock, Liveness, Port, Probe, TokenRefused, Wait, WaitPoint};
pub use ground::ring::Value;
pub use ground::sync::Mem;
pub use ground::tasks::{AsyncWait, Sleeper, Wakers};
pub use protocol::Violation;

/// What the macros need; not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::ground::frame::plain_name;
    pub use zerocopy;
}

// `frame!` names this crate from outside; inside, it needs the same name.
extern crate self as strait_core;
