//! The bench: a workspace of its own, so that what strait is measured against stays out of its lock file.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::run::{Outcome, Run, together};

const TARGET: &str = "target/bench";

/// Runs the bench with the words after `cargo xtask bench`, in the folder where the user is.
pub fn run(words: &[String]) -> Outcome {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(top.join("bench/Cargo.toml"))
        .arg("--")
        .args(words)
        .env("CARGO_TARGET_DIR", top.join(TARGET))
        // All contenders are built with the flags of the manifest.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status();
    match status {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(format!("cargo could not be started: {error}")),
    }
}

/// Its formatting and lints, and every contender once for a millisecond: are the sums right?
pub fn lints() -> Outcome {
    let cargo = |args: &str| Run::cargo(args).with("CARGO_TARGET_DIR", TARGET);
    together(&[
        ("fmt", Run::cargo("fmt --manifest-path bench/Cargo.toml --check").run()),
        (
            "clippy",
            cargo("clippy --manifest-path bench/Cargo.toml --locked --all-targets -- -D warnings").run(),
        ),
        ("test", cargo("test --quiet --manifest-path bench/Cargo.toml --locked").run()),
        ("smoke", cargo("run --quiet --manifest-path bench/Cargo.toml --locked -- --smoke").run()),
    ])
}
