//! Regions, waiting, liveness and clock for strait on Windows.
//!
//! Empty on other systems.
#![cfg(windows)]

mod error;

pub use error::OsError;
