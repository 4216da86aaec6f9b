//! Linux alone: tasks that wait by eventfds, doorbells of virtual machines, and a mutex with priority inheritance.

mod event;
mod guest;
mod pi;
mod watch;

pub use crate::sys::vfio::VfioError;
pub use event::{EventPort, Sooner, doorbell};
pub use guest::GuestDoorbells;
pub use pi::{PiGuard, PiLock, PiLockError, PiMutex, PiOpenError, PiRecovery, PiStatus, PiUnlockError};
pub use watch::{GuestWatch, GuestWatchError};
