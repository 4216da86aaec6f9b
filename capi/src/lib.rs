//! The C interface: what `strait.h` declares, over the endpoints of `strait-core`.
//!
//! There is no heap: every object lives in storage of a fixed size that the caller supplies and does not
//! move while the object is open. Every function returns a [`strait_status`]; none of them unwinds.
//! These are checked: null and misaligned pointers, storage that holds no open object or was moved,
//! buffers that are too short. The rest is the caller's promise, the same for all functions:
//!
//! - a pointer that is not null leads to memory that is valid for the call (of a buffer: for as many bytes
//!   as the length beside it states), and which nobody else uses during the call;
//! - an object is used by one thread at a time.
//!
//! # If a peer dies, if a peer misbehaves
//!
//! As in Rust: see the endpoints of the same names.
#![cfg_attr(not(test), no_std)]
#![allow(non_camel_case_types, reason = "the names of the header")]

mod arg;
mod batch;
mod broadcast;
mod by_time;
mod call;
mod cancel;
mod consumer;
mod fanout;
mod handle;
mod heartbeat;
mod inspect;
mod lanes;
mod latest;
mod message;
mod mutex;
mod os;
mod panic;
mod peek;
mod peer_gone;
mod peers_gone;
mod permits;
mod plan;
mod pool;
mod port;
mod producer;
mod queue_end;
mod region;
mod reset;
mod semaphore;
mod status;
mod storage;
mod typed;
mod until;
mod version;
mod wait_any;

pub use batch::*;
pub use broadcast::*;
pub use by_time::*;
pub use call::*;
pub use consumer::*;
pub use fanout::*;
pub use heartbeat::*;
pub use inspect::*;
pub use lanes::*;
pub use latest::*;
pub use message::*;
pub use mutex::*;
#[cfg(feature = "os")]
pub use os::*;
pub use peek::*;
pub use peer_gone::*;
pub use peers_gone::*;
pub use permits::*;
pub use plan::*;
pub use pool::*;
pub use port::*;
pub use producer::*;
pub use queue_end::*;
pub use region::*;
pub use reset::*;
pub use semaphore::*;
pub use status::*;
pub use storage::*;
pub use typed::*;
pub use until::*;
pub use version::*;
pub use wait_any::*;
