//! What the adapters `strait-os-unix` and `strait-os-windows` have in common, so that `strait-os` above them reads one
//! set of results: the error of a system call, why an operation was refused, and a region once it is mapped. It
//! makes no call that differs between systems.
//!
//! # Why `unsafe` is denied, not forbidden
//!
//! [`Mapped`] owns memory that an adapter has mapped for it, and hands it out as the core's `Mem`.
#![deny(unsafe_code)]

mod error;
#[expect(unsafe_code, reason = "it owns memory that a system call has mapped")]
mod mapped;
pub mod object;
mod options;
mod path;
pub mod pipe;
mod probe;
mod region;
pub mod rt;

pub use error::OsError;
pub use mapped::{Mapped, MappedRegion, OpenRegion};
pub use options::MapOptions;
pub use path::{PrivateName, directory_of};
pub use probe::proof_of;
pub use region::{CreateFailed, MapFailed, OpenFailed, ReceiveFailed, ShareFailed};

/// The number of an error that has none of the system: an input or output error.
#[cfg(not(windows))]
const UNNUMBERED: i32 = 5;
#[cfg(windows)]
const UNNUMBERED: i32 = 31;
