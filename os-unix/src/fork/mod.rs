//! State that a fork must not carry over: a child is not its parent.
//!
//! A forked child inherits mappings and descriptors, but it is no participant: its parent is. An
//! [`Origin`] tells the two apart. On Linux, before `fork` returns in the child, its copies of
//! liveness tokens and of listeners are closed and its mappings made private.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::{Origin, Token};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use fallback::{Origin, Token};
