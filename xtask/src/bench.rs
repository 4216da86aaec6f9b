//! The bench: a workspace of its own, so that what strait is measured against stays out of its lock file.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::cache;
use crate::parts::parts;
use crate::run::{Outcome, Run};

/// The name of its target folder.
const TARGET: &str = "bench";

/// Runs the bench with the words after `cargo xtask bench`, in the folder where the user is.
pub fn run(words: &[String]) -> Outcome {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = match cache::target(TARGET) {
        Ok(target) => target,
        Err(outcome) => return outcome,
    };
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(top.join("bench/Cargo.toml"))
        .arg("--")
        .args(words)
        .env("CARGO_TARGET_DIR", target)
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

/// A command of cargo on the bench, in its own target folder.
fn cargo(command: &str, further: &str) -> Outcome {
    let target = match cache::target(TARGET) {
        Ok(target) => target,
        Err(outcome) => return outcome,
    };
    let args = format!("{command} --manifest-path bench/Cargo.toml --locked {further}");
    Run::cargo(args.trim_end()).with("CARGO_TARGET_DIR", &target).run()
}

/// Its tests, and every contender once for a millisecond: are the sums right?
pub fn smoke() -> Outcome {
    parts(&[
        ("fmt", &|| Run::cargo("fmt --manifest-path bench/Cargo.toml --check").run()),
        ("test", &|| cargo("test --quiet", "")),
        ("smoke", &|| cargo("run --quiet", "-- --smoke")),
    ])
}

/// Its lints.
pub fn lints() -> Outcome {
    cargo("clippy", "--all-targets -- -D warnings")
}
