//! `embedded_io`'s traits (release 0.7) on a queue of frames: a byte pipe of two rings, and a writer into one frame.
//!
//! Frames over a byte stream of any kind are in [`stream`](crate::stream).

pub use strait_core::{GrantWriter, RingPipe, RingPipeError, RingReader, RingWriter};
