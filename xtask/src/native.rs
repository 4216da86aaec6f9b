//! What several lanes use of what is built for this machine, in the folder of the plain `cargo test`.

use std::path;

use crate::run::{Outcome, Run};

/// The folder.
pub const TARGET: &str = "target";

/// The tool as it is built for tests, once [`tool`] has run.
pub const TOOL: &str = "target/debug/strait";

/// The whole path of what was built here, for a program that runs elsewhere.
///
/// # Errors
///
/// A step's outcome if there is no such path.
pub fn path(built: &str) -> Result<String, Outcome> {
    let whole = path::absolute(built).map_err(|error| Outcome::Failed(format!("{built}: {error}")))?;
    Ok(whole.to_string_lossy().into_owned())
}

/// A command of cargo that builds here.
pub fn cargo(args: &str) -> Run {
    Run::cargo(args).with("CARGO_TARGET_DIR", TARGET)
}

/// Builds the tool.
pub fn tool() -> Run {
    cargo("build --quiet -p strait-cli")
}
