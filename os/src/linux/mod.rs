//! Linux alone: tasks that wait by eventfds, and a mutex with priority inheritance.

mod event;
mod pi;

pub use event::{EventPort, Sooner, doorbell};
pub use pi::{PiGuard, PiLock, PiLockError, PiMutex, PiOpenError, PiRecovery, PiStatus, PiUnlockError};
