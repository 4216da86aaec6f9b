//! What the tests share: a region on the heap with several participants in one process, whose deaths
//! are staged, and whose memory can be looked at, changed and copied.
#![allow(dead_code, reason = "each test file uses its own part of this")]

pub mod calls;
pub mod damage;
pub mod faulty;
pub mod golden;
pub mod guarded;
mod hardware_lock;
pub mod images;
pub mod listing;
mod member;
pub mod model;
pub mod named;
mod port;
pub mod queue_run;
pub mod raw;
pub mod region;
pub mod rng;
pub mod seed;
pub mod stream;
pub mod words;
pub mod world;

pub use member::Member;
pub use port::TestPort;
pub use region::Region;
