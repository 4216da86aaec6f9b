//! What a slot holds, for generic code; a value of a run-time type as it was read, and a value under a lock as it is
//! edited.

pub use strait_core::{FromLane, InPlace, Notified, Value, ValueInfo};
