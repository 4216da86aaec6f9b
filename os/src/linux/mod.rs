//! Linux alone: tasks that wait by eventfds, doorbells of virtual machines, proof of the end of those and of other cores'
//! firmware, and a mutex with priority inheritance.

mod event;
#[cfg(target_os = "linux")]
mod guest;
mod pi;
#[cfg(target_os = "linux")]
mod remote;
#[cfg(target_os = "linux")]
mod watch;

#[cfg(target_os = "linux")]
pub use crate::sys::vfio::VfioError;
pub use event::{EventPort, Sooner, doorbell};
#[cfg(target_os = "linux")]
pub use guest::GuestDoorbells;
pub use pi::{PiGuard, PiLock, PiLockError, PiMutex, PiOpenError, PiRecovery, PiStatus, PiUnlockError};
#[cfg(target_os = "linux")]
pub use remote::{RemoteState, RemoteWatch, RemoteWatchError};
#[cfg(target_os = "linux")]
pub use watch::{GuestWatch, GuestWatchError};
