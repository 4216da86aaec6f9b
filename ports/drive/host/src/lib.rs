//! Shared by the programs here: the emulator with the drive in it, what loads its firmware, and its mailbox.
#![forbid(unsafe_code)]

pub mod emulator;
pub mod loader;
pub mod mailbox;
