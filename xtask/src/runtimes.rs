//! The lane `runtimes`: endpoints awaited in tokio and in async-io. They are in a workspace of their own, so that
//! nothing else compiles a runtime.

use crate::cache;
use crate::parts::parts;
use crate::run::{Outcome, Run};

const FOLDER: &str = "examples/runtimes";

/// Lints, tests of cancelling, and the examples.
pub fn lane() -> Outcome {
    match cache::target("runtimes") {
        Ok(target) => run(&target),
        Err(outcome) => outcome,
    }
}

fn run(target: &str) -> Outcome {
    let cargo = |args: &str| Run::cargo(args).with("CARGO_TARGET_DIR", target).within(FOLDER).run();
    parts(&[
        ("fmt", &|| cargo("fmt --check")),
        ("clippy", &|| cargo("clippy --locked --all-targets -- -D warnings")),
        ("tests", &|| cargo("test --locked")),
        ("tokio", &|| cargo("run --quiet --locked --example tokio")),
        ("async-io", &|| cargo("run --quiet --locked --example async_io")),
    ])
}
