//! Shared by the programs here: the emulator with the drive in it.
#![forbid(unsafe_code)]

pub mod emulator;
