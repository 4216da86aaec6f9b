//! The operating system's named semaphores, with time-outs: for meeting programs that use those. Between strait's own
//! programs take `strait::Semaphore` or `strait::Permits`, which are in a region.
//!
//! | system | a wait is | `value` |
//! | --- | --- | --- |
//! | Linux with glibc 2.30 or newer, 64 bits | one sleep in the kernel, on the monotonic clock (`sem_clockwait`) | known |
//! | FreeBSD, other C libraries of Linux | polling with sleeps of up to 1 ms | known |
//! | macOS | polling with sleeps of up to 1 ms | unknown |
//! | Windows | one sleep in the kernel, which ends up to a tick of 15.6 ms late | unknown |

mod error;
mod named;

pub use error::{SemAcquireError, SemOpenError, SemReleaseError};
pub use named::NamedSemaphore;
