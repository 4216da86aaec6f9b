//! The system's own semaphores, by name, which need no region.
//!
//! A [`Semaphore`](crate::Semaphore) of a region is quicker, and [`Permits`](crate::Permits) come back from the dead.

pub use strait_os::{NamedSemaphore, SemAcquireError, SemOpenError, SemReleaseError};
