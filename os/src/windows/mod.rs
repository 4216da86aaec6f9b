//! Windows alone: security descriptors, names in the machine, handles that hand regions over, the
//! system's mutex, and messages between windows.

mod named_mutex;
mod pipe;
mod region;
pub mod window;

pub use named_mutex::{MutexLockError, MutexOpenError, NamedMutex, NamedMutexGuard, NamedMutexLock};
pub use pipe::{ImpersonationExt, NamedSemaphoreExt, PipeOptionsExt, UserExt};
pub(crate) use region::LOCK_ADVICE;
pub use region::RegionOptionsExt;

pub use crate::sys::{Sddl, SddlError, Sid};
