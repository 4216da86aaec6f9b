//! System calls of strait on Linux and other Unix systems, for [`strait-os`], which has the types that
//! programs name, their documentation and their errors. `strait-os-windows` has the same functions.
//!
//! | module | calls |
//! | --- | --- |
//! | [`place`], [`view`] | files of regions: made, checked, mapped, handed over, removed |
//! | [`window`] | memory of devices and their buffers, found and mapped |
//! | liveness, fork | open-file-description locks on Linux, and what a forked child must not keep |
//! | wait | futexes on Linux, polling elsewhere |
//! | [`clock`], [`whoami`], [`rt`] | the monotonic clock, the process's start, scheduling |
//! | [`readable`] | waiting for descriptors |
//! | `event`, `pi` | eventfds and priority-inheriting futexes, on Linux |
//! | `vfio`, `watch` | interrupts of a virtual machine's doorbells, and the end of its process, on Linux |
//! | [`pipe`], [`semaphore`] | pipes and semaphores of the system, which need no region |
//!
//! Where the system lacks something, the function returns an error that says so.
//!
//! [`strait-os`]: https://docs.rs/strait-os

pub mod clock;
mod directory;
mod entropy;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod event;
mod failed;
mod fd;
mod file;
mod fork;
mod liveness;
mod map;
mod memfd;
mod options;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod pi;
pub mod pipe;
pub mod place;
mod privileged;
pub mod readable;
#[cfg(target_os = "linux")]
pub mod remote;
pub mod rt;
pub mod semaphore;
mod source;
#[cfg(target_os = "linux")]
pub mod vfio;
pub mod view;
mod wait;
#[cfg(target_os = "linux")]
pub mod watch;
pub mod whoami;
pub mod window;

pub use options::{Exposure, Options, Owner};
pub use place::Place;
pub use view::{New, Publication, View};

/// Whether this processor compares and swaps in memory of any kind: x86 does. ARM and RISC-V leave it open for memory
/// that is mapped as a device's.
const DEVICES_COMPARE_AND_SWAP: bool = cfg!(any(target_arch = "x86", target_arch = "x86_64"));
