//! Tasks that wait: a peer's wake reaches an executor through an eventfd, on Linux.
//!
//! ```text
//!   sender, any process               receiver's process
//!   publish, parked? then             task: keep the waker, parked = 1, nothing there? put aside
//!   wake: futex and eventfd  ------>  reactor: poll the eventfd, drain it, wake the tasks
//! ```
//!
//! A peer without the eventfd is found after the task's probe period, for the reactor keeps that too; so is
//! one that died between its publication and its ring. Senders that block and receivers that
//! await mix freely: a wake goes both ways.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{EventPort, doorbell};
