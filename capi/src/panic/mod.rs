//! The panic handler. No panic is expected, but the language requires a handler.

#[cfg(target_os = "none")]
mod bare;
#[cfg(not(target_os = "none"))]
mod hosted;
