//! The lane `bridge`: the bridge over Zenoh, with a link that is cut between two network namespaces, and a peer in
//! Python that has Zenoh and no strait.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::lanes::{packages, unavailable};
use crate::parts::parts;
use crate::run::{Outcome, Run};

/// What the peer in Python needs. The file in the environment that says that it is installed.
const NEEDS: &str = "eclipse-zenoh==1.10.2";
const READY: &str = "strait-needs";

/// Lints, and the tests on one machine, over a link that is cut, and beside Python.
pub fn lane() -> Outcome {
    all().unwrap_or_else(|outcome| outcome)
}

fn all() -> Result<Outcome, Outcome> {
    packages(&["iproute2"])?;
    let target = cache::target("bridge")?;
    let python = environment(&target)?;
    may_make_namespaces()?;
    let cargo = |args: &str| Run::cargo(args).with("CARGO_TARGET_DIR", &target);
    let test = |args: &str| cargo(&format!("test --manifest-path bridge/Cargo.toml --locked {args}"));
    let clippy = "clippy --manifest-path bridge/Cargo.toml --locked --all-targets -- -D warnings";
    let beside = || {
        let python = python.to_string_lossy();
        test("--test python -- --ignored").with("STRAIT_PYTHON", &python).run()
    };
    Ok(parts(&[
        ("fmt", &|| Run::cargo("fmt --manifest-path bridge/Cargo.toml --check").run()),
        ("clippy", &|| cargo(clippy).run()),
        ("one machine", &|| test("--bins --test bridge").run()),
        ("a link that is cut", &|| test("--test link -- --ignored").run()),
        ("beside Python", &beside),
    ]))
}

/// Skips the lane where no network namespace can be made, as in most containers.
fn may_make_namespaces() -> Result<(), Outcome> {
    let name = format!("strait-{}", std::process::id());
    let ip = |what: &str| Command::new("ip").args(["netns", what, &name]).output();
    match ip("add") {
        Ok(output) if output.status.success() => {
            // It is empty; what is left of it harms nobody.
            let _ = ip("del");
            Ok(())
        }
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(unavailable(format!("ip netns add makes no network namespace: {why}")))
        }
        Err(error) => Err(unavailable(format!("ip cannot be run: {error}"))),
    }
}

/// The Python of an environment with Zenoh.
fn environment(target: &str) -> Result<PathBuf, Outcome> {
    let environment = Path::new(target).join("venv");
    let (ready, python) = (environment.join(READY), environment.join("bin/python"));
    if fs::read_to_string(&ready).is_ok_and(|installed| installed == NEEDS) {
        return Ok(python);
    }
    let folder = environment.to_string_lossy().into_owned();
    let create = || Run::new("python3".into(), "python3", "-m venv --clear").word(&folder).run();
    if create() != Outcome::Passed {
        packages(&["python3", "python3-venv"])?;
        if create() != Outcome::Passed {
            return Err(unavailable("python3 -m venv makes no environment".into()));
        }
    }
    let install = format!("-m pip --disable-pip-version-check -q install {NEEDS}");
    if Run::new(python.clone().into(), "python", &install).run() != Outcome::Passed {
        return Err(unavailable(format!("pip cannot install {NEEDS}")));
    }
    fs::write(&ready, NEEDS).map_err(|error| cache::failed(&ready, &error))?;
    Ok(python)
}
