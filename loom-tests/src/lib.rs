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
#![cfg(strait_loom)]
#![forbid(unsafe_code)]

mod child;
pub mod control;
pub mod harness;

mod queue;
mod search;
mod waiting;

mod batch_succession;
mod broadcast;
mod call;
mod call_lanes;
mod claim;
mod fanout;
mod fanout_window;
mod hardware_lock;
mod header;
mod lanes;
mod latest;
mod litmus;
mod local_queue;
mod merge;
mod mutex;
mod mutex_succession;
mod park;
mod pipes;
mod pool;
mod semaphore;
mod spsc;
mod spsc_succession;
mod static_queue;
mod stream_lanes;
mod streams;
mod table;
mod tasks;
mod wake_one;

/// A model by its name.
type Model = (&'static str, fn());

/// Lists a file's models.
macro_rules! models {
    ($($name:literal => $run:expr,)+) => {
        /// This file's models, by name.
        pub const MODELS: &[crate::Model] = &[$((concat!(module_path!(), "::", $name), || $run),)+];
    };
}
use models;

/// All models, the long ones first.
fn all() -> impl Iterator<Item = Model> {
    let files = [
        static_queue::MODELS,
        broadcast::MODELS,
        spsc_succession::MODELS,
        batch_succession::MODELS,
        mutex_succession::MODELS,
        mutex::MODELS,
        semaphore::MODELS,
        pool::MODELS,
        wake_one::MODELS,
        hardware_lock::MODELS,
        lanes::MODELS,
        merge::MODELS,
        fanout::MODELS,
        fanout_window::MODELS,
        latest::MODELS,
        call::MODELS,
        call_lanes::MODELS,
        streams::MODELS,
        stream_lanes::MODELS,
        park::MODELS,
        pipes::MODELS,
        tasks::MODELS,
        spsc::MODELS,
        claim::MODELS,
        table::MODELS,
        header::MODELS,
        local_queue::MODELS,
        litmus::MODELS,
    ];
    files.into_iter().flatten().map(|&(name, run)| (name.trim_start_matches("loom_tests::"), run))
}
