//! Those of the core's tests that the lanes `tsan` and `asan` run, and `words` on ARM of 32 bits: everything is built once
//! more there, which takes minutes for all of them.
#![cfg(not(strait_loom))]

mod common;

mod attach;
mod broadcast;
mod fanout;
mod latest;
mod lies;
mod lies_state;
mod random_images;
mod regressions;
mod spsc;
mod spsc_frames;
mod spsc_typed;
mod statics;
mod takeover;
mod wait;
