//! Regions by name and by path, from the system.

#[cfg(feature = "os")]
mod region;
#[cfg(feature = "os")]
pub use region::*;
