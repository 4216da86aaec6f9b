//! What strait's adapters to operating systems have in common: what is one thing on every system, and so is
//! written once.
//!
//! | | |
//! | --- | --- |
//! | [`OsError`] | the error of a system call |
//! | [`pipe`] | errors, names, time limits and seats of pipes |
//! | [`semaphore`] | errors of the system's semaphores |
//!
//! For the adapters alone, which show under their own names what a user is to see. There is no system call
//! in it and no `cfg` of a system, so its tests on one system speak for all. What differs by as much as one
//! variant or one piece of advice stays in the adapters.
#![forbid(unsafe_code)]

mod error;
pub mod pipe;
pub mod semaphore;

pub use error::OsError;

/// What the macros need; not part of the interface.
#[cfg(feature = "embedded-io-07")]
#[doc(hidden)]
pub mod __private {
    pub use embedded_io;
}
