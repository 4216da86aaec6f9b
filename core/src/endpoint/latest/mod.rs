//! The latest of a stream of values: one writer, any number of readers.

mod buffers;
mod change_error;
mod reader;
mod reading;
mod tasks;
mod writer;

pub(super) use buffers::{Seen, parts};
pub use change_error::ChangeError;
pub(super) use reader::length;
pub use reader::{LatestReader, READ_TRIES};
pub use reading::{Reading, ValueInfo};
pub use writer::{LatestWriter, PublishError};
