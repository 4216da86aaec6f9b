//! System calls of strait on Windows, for [`strait-os`], which has the types that programs name, their
//! documentation and their errors. `strait-os-unix` has the same functions. This crate is empty on other systems.
//!
//! | module | calls |
//! | --- | --- |
//! | [`place`], [`new`], [`view`] | sections and files of regions: made, checked, mapped, handed over, removed |
//! | section, file, security | the memory of regions, and the access to it |
//! | liveness | locks on the region's file, or named events, that the kernel drops with the process |
//! | wait | a named event for each word that is slept on |
//! | [`clock`], [`whoami`], [`rt`] | the performance counter, the process's start, scheduling |
//! | [`pipe`], [`semaphore`], [`mutex`], [`window`] | the system's own, which need no region |
//!
//! Where the system lacks something, the function returns an error for that.
//!
//! [`strait-os`]: https://docs.rs/strait-os
#![cfg_attr(not(windows), allow(rustdoc::broken_intra_doc_links, reason = "elsewhere the crate is empty"))]
#![cfg(windows)]

pub mod clock;
mod entropy;
mod error;
mod failed;
mod file;
mod liveness;
mod map;
pub mod mutex;
mod name;
pub mod new;
mod object;
mod options;
pub mod pipe;
pub mod place;
pub mod rt;
mod section;
mod security;
pub mod semaphore;
pub mod view;
mod wait;
pub mod whoami;
mod wide;
pub mod window;

pub use new::{New, Publication};
pub use options::{Exposure, Options, Owner, Sddl, SddlError};
pub use place::Place;
pub use security::Sid;
pub use view::View;
