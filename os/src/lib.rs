//! Regions, waiting, liveness and clock of the operating system for strait, written once for Unix and Windows.
//!
//! | | Linux | macOS, FreeBSD | Windows |
//! | --- | --- | --- | --- |
//! | regions | [by name](RegionName), [in a file](RegionFile), [sealed](SealedRegion) memory over a socket | by name, in a file | by name in the session or the machine, in a file, or without either and handed over as a handle |
//! | liveness | a lock that the kernel drops with the process | unknown, so a dead peer's roles stay taken | a lock on the region's file, or a named event, that the kernel drops with the process |
//! | waiting | futex between processes | polling with sleeps of up to 1 ms | a named event for each word that is slept on, made by the sleeper |
//! | clock | `CLOCK_MONOTONIC` | `CLOCK_MONOTONIC` | the performance counter |
//! | tasks | `linux::EventPort`: eventfds, for any executor | none | none |
//! | virtual machines | `linux::GuestDoorbells`, `linux::GuestWatch`: their interrupts, and proof of their end | none | none |
//! | firmware of other cores | `linux::RemoteWatch`: proof of its end | none | none |
//! | mutex with priority inheritance | `linux::PiMutex` | none | none |
//! | [pipes](pipe) | bytes and messages | bytes; messages on FreeBSD | bytes and messages, named and anonymous |
//! | the system's semaphores | [`NamedSemaphore`], waiting in the kernel | [`NamedSemaphore`], polling | [`NamedSemaphore`] |
//! | the system's mutexes, window messages | none | none | `windows::NamedMutex`, `windows::window` |
//!
//! Everything that makes system calls is here and in the two adapters below, `strait-os-unix` and
//! `strait-os-windows`, and nothing of it is on the path of a message: only sleeping, waking and asking whether
//! a peer lives.
//!
//! [`RegionName`] is the entrance.
//!
//! # Guarantees
//!
//! - A region appears complete or not at all, private to its user unless asked otherwise, and in reserved space.
//!   A creator that dies leaves nothing that is in the next one's way.
//! - What is opened is checked: its kind, its owner, whom it lets in, and its length; on Windows also that its
//!   pages are there.
//! - A participant is taken for dead only when the kernel proves that its token is gone. A stopped
//!   process is alive; what cannot be known (access denied, a file on a server) counts as alive.
//! - No descriptor survives an `exec`, and no handle is inherited by a child.
//!
//! # Trade-offs
//!
//! On Unix:
//!
//! - Peers of a region with a name or in a file trust each other: a process that may write to the file
//!   may also cut it short, and the next access raises `SIGBUS`. Peers that are not trusted get a
//!   [sealed](SealedRegion) region.
//! - Each open region takes two descriptors; one process can take part in 1,024 at a time.
//! - `fork` must not be called from a signal handler while this crate is in use.
//!
//! On Windows:
//!
//! - No peer can cut a region short. But a *named* region is there only as long as some process has it open.
//!   Where it must outlive all of them, take a file. (On Linux a name stays until it is removed.)
//! - The end of a time-out may be late by a tick of the system's timer, 15.6 ms unless some program has asked
//!   for shorter ones. A wake is not late.
//! - A sleeper that another one joins at the same word in the same moment may miss a wake, and then sleeps
//!   for its probe period.
//! - Each open region takes three to six handles, and one more for each word that was slept on or woken.
//! - A wake by a system other than this one does not arrive: see `examples/two_systems.rs`.
//!
//! # What was run on Windows
//!
//! The tests run under wine 8 in the lane `windows`; on Windows itself they have not been run yet. Where wine
//! does otherwise than Windows' own documents say, and it matters here:
//!
//! | | Windows, by its documents | wine 8, as seen |
//! | --- | --- | --- |
//! | a file that is mapped | cannot be cut short, nor deleted | can be both |
//! | growing a file | takes the space | leaves a hole: a full disk ends the process later |
//! | a file renamed while it is open | keeps its volume's number | loses it, so that 0 matches any here |
//! | `ReOpenFile` | opens that file | opens its former name; so the result is compared here |
//! | deleting a file that is open | frees its name at once | when the last handle is closed; so it is renamed first here |
//! | an object made without a descriptor | has an owner | has none, and is refused here |
//! | creating a section in `Global\` | takes a privilege | takes none: that refusal is untested |
//! | locks on a file | are seen by Windows alone | are seen by native processes, and theirs here |
//! | `FILE_FLAG_FIRST_PIPE_INSTANCE`, a pipe's list of rights | are enforced | are not |
//! | the level at which a pipe's client lets itself be impersonated | limits the server | does not: the server always gets all rights |
//! | the first window of a program | is there | fails, for ever, in some that start while wine's desktop does |
//! | starting a process | works | fails once in some thousand times (error 1359), except under `setarch -R` |
//! | a named object's call | takes about a microsecond | 13 to 16, by way of wine's server |
//!
//! # Why `unsafe` is denied, not forbidden
//!
//! [`SystemPort`] and `linux::EventPort` promise what the core's traits `Liveness` and `Port` ask for. The promise
//! is an `unsafe impl` with its proof beside it; there is no other `unsafe` here.
#![deny(unsafe_code)]

#[cfg(unix)]
use strait_os_unix as sys;
#[cfg(windows)]
use strait_os_windows as sys;

mod join;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod linux;
mod name;
mod options;
pub mod pipe;
mod port;
mod region;
pub mod rt;
mod semaphore;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

#[cfg(unix)]
use unix::LOCK_ADVICE;
#[cfg(windows)]
use windows::LOCK_ADVICE;

pub use join::JoinError;
pub use name::{MAX_NAME, NameError, check_name};
pub use options::RegionOptions;
pub use port::SystemPort;
pub use region::{
    CreateError, OpenError, OpenOrCreateError, ReceiveError, Region, RegionFile, RegionName, RegionPlace,
    SealedRegion, ShareError,
};
pub use semaphore::{NamedSemaphore, SemAcquireError, SemOpenError, SemReleaseError};
pub use strait_os_base::OsError;
pub use sys::{Exposure, Owner};
