//! The lane `linuxcnc`: the HAL component is built against LinuxCNC's packages, and exchanges values with a controller
//! in Rust from a simulated servo thread. Each side is killed.

use std::path::Path;

use crate::native;
use crate::parts::parts;
use crate::run::{Outcome, Run};
use crate::{cache, install, lanes};

const FOLDER: &str = "ports/linuxcnc";
const CONTROLLER: &str = "linuxcnc_controller";
const PACKAGES: &[&str] =
    &["gcc", "make", "pkg-config", "procps", "util-linux", "linuxcnc-uspace", "linuxcnc-uspace-dev"];

/// Builds and runs both.
pub fn lane() -> Outcome {
    both().unwrap_or_else(|outcome| outcome)
}

fn both() -> Result<Outcome, Outcome> {
    lanes::packages(PACKAGES)?;
    let folder = cache::target("linuxcnc")?;
    let prefix = format!("{folder}/prefix");
    let words = ["--prefix".into(), prefix.clone()];
    let installed = || match install::parse(&words).and_then(|choice| install::install(&choice, None)) {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    };
    let component = || {
        Run::new("make".into(), "make", &format!("-B BUILD={folder}"))
            .with("PKG_CONFIG_PATH", &format!("{prefix}/lib/pkgconfig"))
            .within(FOLDER)
            .run()
    };
    let controller = || native::cargo(&format!("build --example {CONTROLLER}")).run();
    let together = || {
        let script = Path::new(FOLDER).join("test.sh");
        let args = format!("{folder}/strait-hal target/debug/examples/{CONTROLLER} {prefix}/lib");
        Run::new(script.clone().into(), &script.to_string_lossy(), &args).run()
    };
    Ok(parts(&[
        ("install", &installed),
        ("component", &component),
        ("controller", &controller),
        ("together", &together),
    ]))
}
