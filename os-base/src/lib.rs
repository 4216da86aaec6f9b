//! What the adapters `strait-os-unix` and `strait-os-windows` return, so that `strait-os` above them reads one set
//! of results: the error of a system call, and why an operation was refused. There is no system call in it.
#![forbid(unsafe_code)]

mod error;
mod path;
pub mod pipe;
mod region;
pub mod rt;

pub use error::OsError;
pub use path::directory_of;
pub use region::{CreateFailed, OpenFailed, ReceiveFailed, ShareFailed};
