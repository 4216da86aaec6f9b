//! What a fork must not carry over: a child is not its parent.
//!
//! A forked child inherits mappings and descriptors, but it is no participant: its parent is. An
//! [`Origin`] tells the two apart, and on Linux the child's copies of liveness tokens are closed
//! before `fork` returns, so that a child does not keep a dead parent alive.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Origin, Token};

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
pub(crate) use fallback::Origin;
