//! The backend of the model checker: loom's atomics and tracked cells for a region's words and bytes.

mod control;
pub(crate) mod death;
pub(crate) mod memory;
mod search;
pub(super) mod shim;
mod span;
