//! The lane `deny`: the licences of everything that is compiled in, where it comes from, and what is known against it, by
//! cargo-deny and `deny.toml`.

use std::path::Path;

use crate::cache;
use crate::lanes::unavailable;
use crate::parts::parts;
use crate::run::{Outcome, Run, together};

/// The workspaces from which something is shipped.
const SHIPPED: &[&str] = &["Cargo.toml", "bridge/Cargo.toml", "python/Cargo.toml"];
const VERSION: &str = "0.20.2";

/// Checks each workspace; without the advisories if their database is out of reach.
pub fn lane() -> Outcome {
    match tool() {
        Ok(tool) => check(&tool),
        Err(outcome) => outcome,
    }
}

/// The program, which is installed into a folder of the cache, once for all clones.
fn tool() -> Result<String, Outcome> {
    let folder = cache::folder("tools")?;
    let tool = folder.join("bin/cargo-deny");
    if !is_there(&tool) {
        let install =
            Run::cargo(&format!("install --quiet --locked --profile dev cargo-deny@{VERSION} --root"));
        if install.word(&folder.to_string_lossy()).run() != Outcome::Passed {
            return Err(unavailable("cargo cannot install cargo-deny".into()));
        }
    }
    Ok(tool.to_string_lossy().into_owned())
}

fn is_there(tool: &Path) -> bool {
    tool.exists() && deny(&tool.to_string_lossy(), "--version").run() == Outcome::Passed
}

fn deny(tool: &str, args: &str) -> Run {
    Run::new(tool.into(), "cargo-deny", args)
}

fn each(tool: &str, what: &str) -> Outcome {
    let outcomes: Vec<(&str, Outcome)> = SHIPPED
        .iter()
        .map(|manifest| {
            let args = format!("--manifest-path {manifest} --locked --config deny.toml check {what}");
            (*manifest, deny(tool, &args).run())
        })
        .collect();
    together(&outcomes)
}

fn check(tool: &str) -> Outcome {
    let advisories = || {
        if deny(tool, "--config deny.toml fetch db").run() != Outcome::Passed {
            return unavailable("the database of advisories cannot be fetched".into());
        }
        each(tool, "advisories")
    };
    parts(&[
        ("licences", &|| each(tool, "licenses")),
        ("sources", &|| each(tool, "bans sources")),
        ("advisories", &advisories),
    ])
}
