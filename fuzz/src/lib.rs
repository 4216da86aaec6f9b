//! Fuzz targets of strait: each module below that has a `run` is one target, whose program is in `bin/`.
//!
//! A target decodes the fuzzer's bytes into operations ([`input`]) and applies them to a region between
//! guards ([`memory`]), through a port whose clock, deaths and misbehaviour are staged ([`world`]). The same bytes
//! always give the same run: there are no threads, and time passes only where somebody looks at it.
//!
//! A run fails by a panic, by a report of AddressSanitizer, by a changed guard, or by taking too long.

pub mod attach;
pub mod capi;
pub mod directory;
pub mod endpoints;
pub mod exercise;
pub mod honest;
pub mod input;
pub mod memory;
pub mod patterns;
pub mod ring_pipe;
pub mod stream;
pub mod world;

/// The references of the core's own tests: models, and a second writer of the formats.
#[allow(dead_code, reason = "the targets use a part of it")]
#[path = "."]
mod common {
    #[path = "../../core/tests/common/calls.rs"]
    pub(crate) mod calls;
    #[path = "../../core/tests/common/model.rs"]
    pub(crate) mod model;
    #[path = "../../core/tests/common/raw.rs"]
    pub(crate) mod raw;
    #[path = "../../core/tests/common/rng.rs"]
    pub(crate) mod rng;
    #[path = "../../core/tests/common/stream.rs"]
    pub(crate) mod stream;
}
