//! The latest of a stream of values: one writer, any number of readers.

mod buffers;
mod reader;
mod reading;
mod writer;

pub(super) use buffers::{Seen, parts};
pub(super) use reader::length;
pub use reader::{LatestReader, READ_TRIES};
pub use reading::{Reading, ValueInfo};
pub use writer::{LatestWriter, PublishError};
