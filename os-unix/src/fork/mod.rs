//! State that a fork must not carry over: a child is not its parent.
//!
//! A forked child inherits mappings and descriptors, but it is no participant: its parent is. An
//! [`Origin`] tells the two apart. On Linux, before `fork` returns in the child, its copies of
//! liveness tokens and of listeners are closed and its mappings made private.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Origin, Token};

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
pub(crate) use fallback::{Origin, Token};
