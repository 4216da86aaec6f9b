//! The operating system's named mutex: for meeting programs that use it.

mod error;
mod guard;
mod named;

pub use error::{MutexLockError, MutexOpenError};
pub use guard::{NamedMutexGuard, NamedMutexLock};
pub use named::NamedMutex;
