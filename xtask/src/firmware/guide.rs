//! The guide in `ports/README.md`, followed in an empty folder.

use std::fs;
use std::path::Path;

use crate::run::{Outcome, together};

use super::lab::{LIMIT, Lab, verdict};
use super::one_core::CORTEX_M3;
use super::trial::Trial;

const GUIDE: &str = "ports/README.md";
/// The versions that the ports are built with, so that a new release of somebody else breaks nothing.
const LOCK: &str = "ports/Cargo.lock";

/// Writes the guide's files, builds them and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let folder = format!("{}/guide/my-port", lab.folder);
    if let Err(why) = follow(&folder) {
        return Outcome::Failed(why);
    }
    let build = lab.debian.cargo("../build", &lab.core, "build");
    match build.with("CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER", "ld.lld").within(&folder).run() {
        Outcome::Passed => {}
        failed => return failed,
    }
    let run = |program: &str| {
        let image = format!("{}/guide/build/thumbv7m-none-eabi/debug/{program}", lab.folder);
        let trial = Trial::start(&format!("{CORTEX_M3} -kernel {image}"));
        verdict(&format!("the guide's {program}"), trial.and_then(|trial| trial.verdict(LIMIT)))
    };
    together(&[("the queue", run("queue")), ("the region", run("region"))])
}

fn follow(folder: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{folder}: {error}");
    let core = Path::new("core").canonicalize().map_err(failed)?;
    let guide = fs::read_to_string(GUIDE).map_err(|error| format!("{GUIDE}: {error}"))?;
    if Path::new(folder).exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    for (name, text) in files(&guide) {
        let path = Path::new(folder).join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        // The clone is not beside this folder.
        fs::write(path, text.replace("../strait/core", &core.to_string_lossy())).map_err(failed)?;
    }
    fs::copy(LOCK, format!("{folder}/Cargo.lock")).map(drop).map_err(failed)
}

/// The files that a guide tells to write: a block of code after a line that ends with a file's name in
/// backquotes and a colon.
fn files(guide: &str) -> Vec<(&str, String)> {
    let mut files = Vec::new();
    let (mut name, mut lines) = (None, guide.lines());
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            files.extend(name.take().map(|name| (name, text)));
        } else if !line.is_empty() {
            name = line.strip_suffix("`:").and_then(|line| line.rsplit('`').next());
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn files_are_told_from_other_blocks() {
        let guide = "```sh\nrun\n```\nIn a `folder`, the file `src/a.rs`:\n\n```rust\nfn a() {}\n\nb\n```\n\nthen\n\n```sh\nrun\n```\n";
        assert_eq!(files(guide), [("src/a.rs", "fn a() {}\n\nb\n".to_owned())]);
    }
}
