//! Regions, waiting, liveness and clock for strait on Windows.
//!
//! | | how |
//! | --- | --- |
//! | regions | by name in the session or the machine, in a file, or without either and handed over as a handle |
//! | liveness | a lock on the region's file, or a named event, that the kernel drops with the process |
//! | waiting | a named event for each word that is slept on, made by the sleeper |
//! | clock | the performance counter |
//! | pipes | named and anonymous, of bytes and of messages: [`pipe`] |
//! | semaphores, mutexes | the system's own, by name: [`semaphore`], [`mutex`] |
//! | window messages | `WM_COPYDATA`: [`window`] |
//!
//! The names are those of the adapter for Unix where the meaning is, so that the same program compiles on
//! both through the facade `strait`. This crate is empty on other systems.
//!
//! Everything that makes system calls is here, and nothing of it is on the path of a message: only
//! sleeping, waking and asking whether a peer lives.
//!
//! # Guarantees
//!
//! - A region appears complete or not at all, private to its user unless asked otherwise, and in reserved
//!   space. A creator that dies leaves nothing that is in the next one's way.
//! - What is opened is checked: its kind, its owner, whom it lets in, its length, and that its pages are
//!   there. No peer can cut it short afterwards.
//! - A participant is taken for dead only when the kernel says that its token is gone. A stopped process is
//!   alive; what cannot be known (access denied, a file on a server) counts as alive.
//! - No handle is inherited by a child.
//!
//! # Trade-offs
//!
//! - A *named* region is there as long as some process has it open. Where it must outlive all of them, take a
//!   file. (On Linux a name stays until it is removed.)
//! - The end of a time-out may be late by a tick of the system's timer, 15.6 ms unless somebody has asked
//!   for shorter ones; see the module `wait`. A wake is not late.
//! - A sleeper that somebody else joins at the same word in the same moment may miss a wake, and then sleeps
//!   for its probe period.
//! - Each open region takes three to six handles, and one more for each word that was slept on or woken.
//! - A wake by a system other than this one does not arrive: see `examples/two_systems.rs`.
//!
//! [`Region`] is the entrance, and [`Options`] has the presets for a service and a program that must meet.
//!
//! # What was run
//!
//! The tests run under wine 8 in the lane `windows`; on Windows itself they are yet to be seen. Where wine
//! does otherwise than Windows' own documents say, and it matters here:
//!
//! | | Windows, by its documents | wine 8, as seen |
//! | --- | --- | --- |
//! | a file that is mapped | cannot be cut short, nor deleted | can be both |
//! | growing a file | takes the space | leaves a hole: a full disk ends the process later |
//! | a file renamed while it is open | keeps its volume's number | loses it, so that 0 matches any here |
//! | `ReOpenFile` | opens that file | opens the name that it had; so the result is compared here |
//! | deleting a file that is open | frees its name at once | when the last handle is closed; so it is renamed first here |
//! | an object made without a descriptor | has an owner | has none, and is refused here |
//! | creating a section in `Global\` | takes a privilege | takes none: that refusal is untested |
//! | locks on a file | are seen by Windows alone | are seen by native processes, and theirs here |
//! | `FILE_FLAG_FIRST_PIPE_INSTANCE`, a pipe's list of rights | are enforced | are not |
//! | the level at which a pipe's client lets itself be impersonated | is heeded | is not: always all |
//! | the first window of a program | is there | fails, for ever, in some that start while wine's desktop does |
//! | starting a process | works | fails once in some thousand times (error 1359), except under `setarch -R` |
//! | a named object's call | takes about a microsecond | 13 to 16, by way of wine's server |
#![cfg_attr(not(windows), allow(rustdoc::broken_intra_doc_links, reason = "elsewhere the crate is empty"))]
#![cfg(windows)]

mod clock;
mod entropy;
mod error;
mod file;
mod liveness;
mod map;
pub mod mutex;
mod name;
mod object;
mod options;
pub mod pipe;
mod port;
mod region;
pub mod rt;
mod section;
mod security;
pub mod semaphore;
mod wait;
mod whoami;
mod wide;
pub mod window;

pub use error::OsError;
pub use name::{MAX_NAME, NameError, check_name};
pub use options::{Options, Sddl, SddlError};
pub use port::WindowsPort;
pub use region::{CreateError, OpenError, OpenOrCreateError, ReceiveError, Region, ShareError};
pub use security::Sid;
