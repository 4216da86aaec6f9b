//! Rings in a region's memory, where a position is always inside: the mask sees to it.
//!
//! # Invariants
//!
//! - G1. `capacity` is a power of two, and `capacity` times the stride (of a ring of bytes: the
//!   capacity) is at most the span's length. Checked when the ring is made; so no access by position
//!   is checked again.

pub mod buffers;
pub mod bytes;
pub mod slots;
mod value;

pub use value::Value;
