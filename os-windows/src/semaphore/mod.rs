//! The operating system's named semaphores, with time-outs: for meeting programs that use those.
//!
//! A wait is one sleep in the kernel. Its time-out is the system's, which looks at it once a tick: up to
//! 15.6 ms late, unless some program asked for shorter ones.

mod error;
mod named;

pub use error::SemOpenError;
pub use named::NamedSemaphore;
#[doc(inline)]
pub use strait_os_common::semaphore::{SemAcquireError, SemReleaseError};
