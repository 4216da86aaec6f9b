//! Regions, waiting, liveness and clock for strait on Linux and other Unix systems.
//!
//! | | Linux | macOS, FreeBSD |
//! | --- | --- | --- |
//! | regions | by name, by path, sealed memory over a socket | by name, by path |
//! | liveness | a lock that the kernel drops with the process | unknown, so a dead peer's roles stay taken |
//! | waiting | futex between processes | polling with sleeps of up to 1 ms |
//! | tasks | [`EventPort`]: eventfds, for any executor | none |
//! | mutex with priority inheritance | `PiMutex` | none |
//! | [pipes](pipe) | bytes and messages | bytes; messages on FreeBSD |
//! | the system's [semaphores](semaphore) | waiting in the kernel | polling |
//!
//! Everything that makes system calls is here, and nothing of it is on the path of a message: only
//! sleeping, waking and asking whether a peer lives.
//!
//! # Guarantees
//!
//! - A region appears complete or not at all, private unless asked otherwise, and in reserved space.
//! - A participant is taken for dead only when the kernel says that its token is gone. A stopped
//!   process is alive; what cannot be known counts as alive.
//! - No descriptor survives an `exec`.
//!
//! # Trade-offs
//!
//! - Peers of a named region or of one at a path trust each other: whoever may write to the file may
//!   also cut it short, and the next access raises `SIGBUS`. Peers that are not trusted get a
//!   [sealed](Region::sealed) region.
//! - Each open region takes two descriptors; one process can take part in 1,024 at a time.
//! - `fork` must not be called from a signal handler while this crate is in use.
//!
//! [`Region`] is the entrance.

mod clock;
mod entropy;
mod error;
mod event;
mod file;
mod fork;
mod liveness;
mod map;
mod memfd;
mod name;
mod options;
#[cfg(target_os = "linux")]
mod pi;
pub mod pipe;
mod port;
mod region;
pub mod rt;
pub mod semaphore;
mod wait;
mod whoami;

pub use error::OsError;
#[cfg(target_os = "linux")]
pub use event::{EventPort, doorbell};
pub use name::{MAX_NAME, NameError, check_name};
pub use options::Options;
#[cfg(target_os = "linux")]
pub use pi::{PiGuard, PiLock, PiLockError, PiMutex, PiOpenError, PiRecovery, PiStatus, PiUnlockError};
pub use port::UnixPort;
pub use region::{CreateError, OpenError, OpenOrCreateError, ReceiveError, Region, ShareError};
