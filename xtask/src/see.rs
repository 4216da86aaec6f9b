//! The lane `see`: what looks at regions from outside, as users have it: Foxglove's own client, a browser, and the MCAP
//! package for Python, against the tool.

use std::fs;
use std::path::Path;

use crate::cache;
use crate::lanes::{output, packages, unavailable};
use crate::native;
use crate::parts::parts;
use crate::run::{Outcome, Run};

const FOLDER: &str = "cli/tests/clients";
const PACKAGES: &[&str] = &["chromium", "chromium-driver", "fonts-dejavu-core", "python3", "python3-venv"];
/// From PyPI and from npm. The file in the folder that says that these are installed.
const PYTHON: &str = "mcap>=1.2,<2 pytest selenium>=4,<5 websockets>=13";
const NODE: &str = "@foxglove/ws-protocol@0.8 ws@8";
const READY: &str = "strait-needs";

/// Builds the tool, and runs its clients.
pub fn lane() -> Outcome {
    prepare().and_then(|folder| run(&folder)).unwrap_or_else(|outcome| outcome)
}

/// The folder with what the clients need.
fn prepare() -> Result<String, Outcome> {
    packages(PACKAGES)?;
    // It may be there without Debian's package.
    if output("npm", &["--version"]).is_none() {
        packages(&["nodejs", "npm"])?;
    }
    let folder = cache::target("see")?;
    let ready = Path::new(&folder).join(READY);
    let needs = format!("{PYTHON} {NODE}");
    if fs::read_to_string(&ready).is_ok_and(|installed| installed == needs) {
        return Ok(folder);
    }
    let venv = Run::new("python3".into(), "python3", "-m venv --clear").word(&format!("{folder}/venv"));
    let pip = || python(&folder, &format!("-m pip --disable-pip-version-check -q install {PYTHON}"));
    if venv.run() != Outcome::Passed || pip().run() != Outcome::Passed {
        return Err(unavailable(format!("pip cannot install {PYTHON}")));
    }
    let npm = format!("install --silent --no-audit --no-fund --prefix {folder} {NODE}");
    if Run::new("npm".into(), "npm", &npm).run() != Outcome::Passed {
        return Err(unavailable(format!("npm cannot install {NODE}")));
    }
    fs::write(&ready, needs).map_err(|error| cache::failed(&ready, &error))?;
    Ok(folder)
}

fn run(folder: &str) -> Result<Outcome, Outcome> {
    let tool = native::path(native::TOOL)?;
    let tests = || {
        python(folder, "-m pytest -q -p no:cacheprovider")
            .with("PYTHONDONTWRITEBYTECODE", "1")
            .with("NODE_PATH", &format!("{folder}/node_modules"))
            .with("STRAIT_TOOL", &tool)
            .within(FOLDER)
            .run()
    };
    Ok(parts(&[
        ("without", &|| native::cargo("check --quiet -p strait-cli --no-default-features").run()),
        ("the tool", &|| native::tool().run()),
        ("tests", &tests),
    ]))
}

fn python(folder: &str, args: &str) -> Run {
    Run::new(format!("{folder}/venv/bin/python").into(), "python", args)
}
