//! The metrics: each is written once, for whatever carries messages.

pub mod latency;
pub mod latest;
pub mod local;
pub mod lock;
pub mod stream;
pub mod tail;
pub mod wake;
