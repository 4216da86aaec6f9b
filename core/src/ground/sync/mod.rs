//! The one place that knows whether the code runs for real or under the model checker.
//!
//! Everything above uses [`Word`], [`WordRef`], [`Mem`] and [`fence`] from here. Under
//! `--cfg strait_loom` with the feature `loom` they are loom's, and the region's bytes are tracked
//! cells; otherwise they are atomics in raw memory.

#[cfg(not(all(strait_loom, feature = "loom")))]
mod cas;
#[cfg(not(all(strait_loom, feature = "loom")))]
mod copy;
#[cfg(all(strait_crash_points, not(all(strait_loom, feature = "loom"))))]
pub mod crash;
pub mod order;

#[cfg(not(all(strait_loom, feature = "loom")))]
mod real;
#[cfg(not(all(strait_loom, feature = "loom")))]
pub use real::*;

#[cfg(all(strait_loom, feature = "loom"))]
pub mod model;
#[cfg(all(strait_loom, feature = "loom"))]
pub use model::shim::*;

pub mod ring;

pub use order::Order;

/// What the crate exports from its root, depending on the backend.
pub mod export {
    #[cfg(all(strait_loom, feature = "loom"))]
    pub use super::model;
}
