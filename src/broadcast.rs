//! Where a reader of a broadcast starts, and why it gets no value. [`BroadcastWriter`](crate::BroadcastWriter) and
//! [`BroadcastReader`](crate::BroadcastReader) are at the root.

pub use strait_core::{BroadcastRecvError, BroadcastStart, BroadcastTryRecvError};
