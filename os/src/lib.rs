//! What a program uses of its operating system: regions by name and in files, waiting, liveness, pipes and
//! semaphores, written once for Unix and Windows.
//!
//! The system calls are in the adapters, `strait-os-unix` and `strait-os-windows`, under the same names.
#![forbid(unsafe_code)]

#[cfg(unix)]
use strait_os_unix as sys;
#[cfg(windows)]
use strait_os_windows as sys;

/// This system's port.
#[cfg(unix)]
pub use sys::UnixPort as SystemPort;
/// This system's port.
#[cfg(windows)]
pub use sys::WindowsPort as SystemPort;
pub use sys::*;
