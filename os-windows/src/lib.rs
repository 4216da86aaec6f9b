//! Regions, waiting, liveness and clock for strait on Windows.
//!
//! Empty on other systems.
#![cfg(windows)]

mod clock;
mod entropy;
mod error;
mod file;
mod liveness;
mod map;
pub mod message;
mod mutex;
mod name;
mod object;
mod options;
pub mod pipe;
mod port;
mod region;
pub mod rt;
mod section;
mod security;
mod semaphore;
mod wait;
mod whoami;
mod wide;

pub use error::OsError;
pub use mutex::{MutexLockError, MutexOpenError, NamedMutex, NamedMutexGuard, NamedMutexLock};
pub use name::{MAX_NAME, NameError, check_name};
pub use options::{Options, Sddl, SddlError};
pub use port::WindowsPort;
pub use region::{CreateError, OpenError, OpenOrCreateError, ReceiveError, Region, ShareError};
pub use security::Sid;
pub use semaphore::{NamedSemaphore, SemAcquireError, SemOpenError, SemReleaseError};
