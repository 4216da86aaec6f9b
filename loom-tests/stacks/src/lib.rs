//! Stacks of the model checker's threads, made once and used again.
//!
//! Loom gives each thread of each execution a new stack, by three system calls and some page faults: more than half of
//! the time that a search takes. A program with this crate has `mmap`, `mprotect` and `munmap` of its own, which do what
//! the C library's do, but for a stack that is given back: it is kept, with its guard page, for the next one of its size.
//! (The C library itself, and threads of the system, use other names, and come by here with nothing.)

#[cfg(target_os = "linux")]
mod linux;

/// Names the crate, so that a program is linked with it.
#[cfg(target_os = "linux")]
pub use linux::keep;

/// Does nothing: elsewhere, stacks are made anew.
#[cfg(not(target_os = "linux"))]
pub fn keep() {}
