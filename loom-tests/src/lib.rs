//! The shipped protocols and endpoints under the model checker.
//!
//! Each file of models carries the name of what it checks. A model says in two columns which steps
//! race, and is tried in all orders of those steps; where that would take too long, with a bounded
//! number of preemptions, which its documentation states and its report prints.
//!
//! ```text
//! RUSTFLAGS="--cfg strait_loom" CARGO_TARGET_DIR=target/loom cargo test --release -p loom-tests
//! RUSTFLAGS="--cfg strait_loom" CARGO_TARGET_DIR=target/loom \
//!     cargo run --release -p loom-tests --bin control
//! ```
//!
//! The first checks every model. The second weakens one named ordering at a time and expects the
//! models that `CONTROL.md` lists to fail. With `STRAIT_MODELS=quick` both search most models with
//! fewer preemptions. Without the cfg nothing of this is compiled.
#![forbid(unsafe_code)]

#[cfg(strait_loom)]
mod child;
#[cfg(strait_loom)]
pub mod control;
#[cfg(strait_loom)]
pub mod harness;

#[cfg(strait_loom)]
mod queue;
#[cfg(strait_loom)]
mod search;

#[cfg(strait_loom)]
mod claim;
#[cfg(strait_loom)]
mod hardware_lock;
#[cfg(strait_loom)]
mod header;
#[cfg(strait_loom)]
mod latest;
#[cfg(strait_loom)]
mod litmus;
#[cfg(strait_loom)]
mod mutex;
#[cfg(strait_loom)]
mod mutex_succession;
#[cfg(strait_loom)]
mod park;
#[cfg(strait_loom)]
mod semaphore;
#[cfg(strait_loom)]
mod spsc;
#[cfg(strait_loom)]
mod spsc_succession;
#[cfg(strait_loom)]
mod static_queue;
#[cfg(strait_loom)]
mod table;
#[cfg(strait_loom)]
mod tasks;

/// A model by its name.
#[cfg(strait_loom)]
type Model = (&'static str, fn());

/// Lists a file's models.
#[cfg(strait_loom)]
macro_rules! models {
    ($($name:literal => $run:expr,)+) => {
        /// This file's models, by name.
        pub const MODELS: &[crate::Model] = &[$((concat!(module_path!(), "::", $name), || $run),)+];
    };
}
#[cfg(strait_loom)]
use models;

/// All models, the long ones first.
#[cfg(strait_loom)]
fn all() -> impl Iterator<Item = Model> {
    let files = [
        spsc_succession::MODELS,
        mutex_succession::MODELS,
        mutex::MODELS,
        semaphore::MODELS,
        hardware_lock::MODELS,
        latest::MODELS,
        park::MODELS,
        tasks::MODELS,
        spsc::MODELS,
        claim::MODELS,
        table::MODELS,
        header::MODELS,
        static_queue::MODELS,
        litmus::MODELS,
    ];
    files.into_iter().flatten().map(|&(name, run)| (name.trim_start_matches("loom_tests::"), run))
}
