//! The one place that knows whether the code runs for real or under the model checker.
//!
//! Everything above uses [`Word`], [`WordRef`], [`Mem`] and [`fence`] from here. Under
//! `--cfg strait_loom` they are loom's, and the region's bytes are tracked
//! cells; otherwise they are atomics in raw memory.

#[cfg(not(strait_loom))]
mod cas;
#[cfg(not(strait_loom))]
mod copy;
#[cfg(all(strait_crash_points, not(strait_loom)))]
pub mod crash;
pub mod order;

#[cfg(not(strait_loom))]
mod real;
#[cfg(not(strait_loom))]
pub use real::*;

#[cfg(strait_loom)]
pub(crate) mod model;
#[cfg(strait_loom)]
pub use model::shim::*;

pub use order::Order;

/// Whether the stores of one core are seen by all others in the order of the program.
pub const STORES_IN_ORDER: bool =
    cfg!(all(any(target_arch = "x86", target_arch = "x86_64"), not(strait_loom)));

/// A thing that shares no cache line with anything beside it, on systems with several cores. Two lines, because some
/// processors fetch them in pairs.
#[cfg_attr(not(target_os = "none"), repr(align(128)))]
pub struct Line<T>(pub T);
