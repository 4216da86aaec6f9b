//! Sleeping until a word of the region changes.
//!
//! | system | mechanism | a wake reaches the sleeper after |
//! | --- | --- | --- |
//! | Linux | a futex, shared between processes | the time of a context switch |
//! | others | polling with sleeps | 1 ms at the most, and a context switch |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{wait, wake};

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
pub(crate) use fallback::{wait, wake};
