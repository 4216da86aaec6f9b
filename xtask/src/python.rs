//! The lane `python`: the Python package is installed as a user installs it, and its tests run beside the tool.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bare_root;
use crate::cache;
use crate::lanes::{packages, unavailable};
use crate::native;
use crate::parts::parts;
use crate::run::{Outcome, Run};

/// What builds and tests the package. The file in the environment that says that these are installed.
const NEEDS: &str = "maturin>=1.9,<2 numpy pytest";
const READY: &str = "strait-needs";
const BARE_ROOT: &str = "python/tests/bare_root.sh";

/// Lints of the package, its installation into a virtual environment, its tests and its example.
pub fn lane() -> Outcome {
    prepare().and_then(|(target, environment)| run(&target, &environment)).unwrap_or_else(|outcome| outcome)
}

/// The target folder, and a virtual environment with what the package needs.
fn prepare() -> Result<(String, PathBuf), Outcome> {
    let target = cache::target("python")?;
    let environment = Path::new(&target).join("venv");
    let ready = environment.join(READY);
    if fs::read_to_string(&ready).is_ok_and(|installed| installed == NEEDS) {
        return Ok((target, environment));
    }
    let create = || Run::new("python3".into(), "python3", "-m venv --clear").word(&text(&environment)).run();
    if create() != Outcome::Passed {
        packages(&["python3", "python3-venv"])?;
        if create() != Outcome::Passed {
            return Err(unavailable("python3 -m venv makes no environment".into()));
        }
    }
    if pip(&environment, &format!("install {NEEDS}")).run() != Outcome::Passed {
        return Err(unavailable(format!("pip cannot install {NEEDS}")));
    }
    fs::write(&ready, NEEDS).map_err(|error| cache::failed(&ready, &error))?;
    Ok((target, environment))
}

fn run(target: &str, environment: &Path) -> Result<Outcome, Outcome> {
    let tool = native::path(native::TOOL)?;
    let cargo = |args: &str| Run::cargo(args).with("CARGO_TARGET_DIR", target).run();
    let clippy = "clippy --manifest-path python/Cargo.toml --locked --all-targets -- -D warnings";
    let made = |what: &str| {
        // Without isolation pip finds maturin in the environment only if its programs are found first.
        let path = env::var("PATH").unwrap_or_default();
        pip(environment, &format!("{what} --no-build-isolation --no-deps ./python"))
            .with("CARGO_TARGET_DIR", target)
            .with("MATURIN_PEP517_ARGS", "--locked")
            .with("PATH", &format!("{}:{path}", text(&environment.join("bin"))))
            .run()
    };
    let bare_root = || in_a_bare_root(target, environment, &made).unwrap_or_else(|outcome| outcome);
    let python = |args: &str| Run::new(bin(environment, "python").into(), "python", args).within("python");
    let tests = || python("-m pytest -q -p no:cacheprovider").with("STRAIT_TOOL", &tool).run();
    Ok(parts(&[
        ("fmt", &|| Run::cargo("fmt --manifest-path python/Cargo.toml --check").run()),
        ("clippy", &|| cargo(clippy)),
        ("install", &|| made("install --force-reinstall")),
        ("bare root", &bare_root),
        ("the tool", &|| native::tool().run()),
        ("tests", &tests),
        ("example", &|| python("examples/plot_live.py --seconds 1 --text").run()),
    ]))
}

/// Installs the wheel, which `made` builds, into a root with Python alone, and uses it there.
fn in_a_bare_root(
    target: &str,
    environment: &Path,
    made: &dyn Fn(&str) -> Outcome,
) -> Result<Outcome, Outcome> {
    let wheels = Path::new(target).join("bare-wheel");
    if wheels.exists() {
        fs::remove_dir_all(&wheels).map_err(|error| cache::failed(&wheels, &error))?;
    }
    let built = made(&format!("wheel --wheel-dir {}", text(&wheels)));
    if built != Outcome::Passed {
        return Ok(built);
    }
    let wheel = bare_root::only(&wheels, ".whl")?;
    let root = Path::new(target).join("bare");
    Ok(bare_root::run(BARE_ROOT, &root, &[&bin(environment, "python"), &text(&wheel)]))
}

fn pip(environment: &Path, args: &str) -> Run {
    Run::new(
        bin(environment, "python").into(),
        "python",
        &format!("-m pip --disable-pip-version-check -q {args}"),
    )
}

/// A program of the environment.
fn bin(environment: &Path, name: &str) -> String {
    text(&environment.join("bin").join(name))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
