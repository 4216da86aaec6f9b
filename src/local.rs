//! Halves and chunks of a [`LocalQueue`], a queue in ordinary memory for two threads of one program.

pub use strait_core::{LocalConsumer, LocalProducer, LocalQueue, ReadChunk, WriteChunk};
