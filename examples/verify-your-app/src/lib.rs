//! A drive and its operator's panel: two processes, jobs, and an emergency stop that must never be
//! lost.
//!
//! The code is generic over the port, so it runs as it is over a real region (`src/main.rs`)
//! and under the model checker (`tests/loom.rs`).
#![forbid(unsafe_code)]

mod drive;
mod panel;
pub mod seeded_bug;

use strait::{Channel, Plan};

pub use drive::{Drive, Stopped};
pub use panel::Panel;

/// The drive's jobs, and the channel that stops it. Both channels ring one bell, so the drive can
/// sleep for either.
pub const PLAN: Plan =
    Plan::new(&[Channel::slots::<u32>("jobs", 2).doorbell(1), Channel::slots::<u32>("stop", 1).doorbell(1)])
        .line(4)
        .participants(2);
