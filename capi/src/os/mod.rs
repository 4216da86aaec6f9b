//! Regions by name and by path, from the system.

#[cfg(feature = "os")]
mod access;
#[cfg(feature = "os")]
mod join;
#[cfg(feature = "os")]
mod look;
#[cfg(feature = "os")]
mod names;
#[cfg(feature = "os")]
mod options;
#[cfg(feature = "os")]
mod region;
#[cfg(feature = "os")]
mod sealed;

#[cfg(feature = "os")]
pub use join::*;
#[cfg(feature = "os")]
pub use look::*;
#[cfg(feature = "os")]
pub use names::*;
#[cfg(feature = "os")]
pub use options::*;
#[cfg(feature = "os")]
pub use region::*;
#[cfg(feature = "os")]
pub use sealed::*;
