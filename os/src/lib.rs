//! What a program uses of its operating system: regions by name and in files, waiting, liveness, pipes and
//! semaphores, written once for Unix and Windows.
//!
//! The system calls are in the adapters, `strait-os-unix` and `strait-os-windows`, under the same names.
#![forbid(unsafe_code)]

#[cfg(unix)]
use strait_os_unix as sys;
#[cfg(windows)]
use strait_os_windows as sys;

#[cfg(windows)]
mod named_mutex;
pub mod pipe;
mod semaphore;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod window;
#[cfg(windows)]
pub mod windows;

#[cfg(windows)]
pub use named_mutex::{MutexLockError, MutexOpenError, NamedMutex, NamedMutexGuard, NamedMutexLock};
pub use semaphore::{NamedSemaphore, SemAcquireError, SemOpenError, SemReleaseError};

/// This system's port.
#[cfg(unix)]
pub use sys::UnixPort as SystemPort;
#[cfg(unix)]
pub use sys::UnixPort;
/// This system's port.
#[cfg(windows)]
pub use sys::WindowsPort as SystemPort;
#[cfg(windows)]
pub use sys::WindowsPort;
pub use sys::{
    CreateError, MAX_NAME, NameError, OpenError, OpenOrCreateError, Options, OsError, ReceiveError, Region,
    ShareError, check_name, rt,
};
#[cfg(target_os = "linux")]
pub use sys::{
    EventPort, PiGuard, PiLock, PiLockError, PiMutex, PiOpenError, PiRecovery, PiStatus, PiUnlockError,
    doorbell,
};
#[cfg(windows)]
pub use sys::{Sddl, SddlError, Sid};
