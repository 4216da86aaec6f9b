//! The guide in `ports/README.md`, followed in an empty folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::run::{Outcome, Run, together};

use super::lab::{LIMIT, Lab, verdict};
use super::one_core::CORTEX_M3;
use super::remote::{self, Files};
use super::trial::Trial;

const GUIDE: &str = "ports/README.md";
/// The versions that the ports are built with, so that a new release of somebody else breaks nothing.
const LOCK: &str = "ports/Cargo.lock";

/// Folders that the guide makes.
const FOLDERS: [&str; 2] = ["my-port", "my-linux"];
/// The file of the Linux program, which names what only a chip has.
const ON_LINUX: &str = "../my-linux/src/main.rs";

/// Writes the guide's files, builds them and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let folder = format!("{}/guide", lab.folder);
    let files = Files::within(&folder);
    let guide = match follow(&folder, &files) {
        Ok(guide) => guide,
        Err(why) => return Outcome::Failed(why),
    };
    let port = format!("{folder}/my-port");
    let build = lab.debian.cargo("../build", &lab.core, "build");
    match build.with("CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER", "ld.lld").within(&port).run() {
        Outcome::Passed => {}
        failed => return failed,
    }
    let image = |program: &str| format!("{folder}/build/thumbv7m-none-eabi/debug/{program}");
    let run = |program: &str| {
        let trial = Trial::start(&format!("{CORTEX_M3} -kernel {}", image(program)));
        verdict(&format!("the guide's {program}"), trial.and_then(|trial| trial.verdict(LIMIT)))
    };
    together(&[
        ("the queue", run("queue")),
        ("the region", run("region")),
        ("Linux and a microcontroller", remote::run(lab, &guide, &folder, &image("remote"), &files)),
    ])
}

/// Returns the guide.
fn follow(folder: &str, chip: &Files) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{folder}: {error}");
    // The clone is not beside this folder.
    let clone = Path::new(".").canonicalize().map_err(failed)?;
    let here = |text: &str| text.replace("../strait", &clone.to_string_lossy());
    let guide = fs::read_to_string(GUIDE).map_err(|error| format!("{GUIDE}: {error}"))?;
    for name in FOLDERS {
        let folder = Path::new(folder).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        fs::create_dir_all(&folder).map_err(failed)?;
        fs::copy(LOCK, folder.join("Cargo.lock")).map_err(failed)?;
    }
    let port = Path::new(folder).join("my-port");
    for (name, text) in files(&guide) {
        let path = port.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let text = if name == ON_LINUX { chip.in_place(text)? } else { here(&text) };
        // A file that comes again is appended to.
        let file = File::options().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
    }
    for line in guide.lines().filter(|line| line.starts_with("cp ")) {
        let done =
            Run::new("bash".into(), "bash", "-c").word(&here(line)).within(&port.to_string_lossy()).run();
        if done != Outcome::Passed {
            return Err(format!("the guide's `{line}`"));
        }
    }
    Ok(guide)
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
    fn the_guides_code_is_all_in_files() {
        let guide = include_str!("../../../ports/README.md");
        let blocks = guide.lines().filter(|line| line.trim_start().starts_with("```rust")).count();
        assert_eq!(files(guide).iter().filter(|(name, _)| name.ends_with(".rs")).count(), blocks);
    }

    #[test]
    fn files_are_told_from_other_blocks() {
        let guide = "```sh\nrun\n```\nIn a `folder`, the file `src/a.rs`:\n\n```rust\nfn a() {}\n\nb\n```\n\nthen\n\n```sh\nrun\n```\n";
        assert_eq!(files(guide), [("src/a.rs", "fn a() {}\n\nb\n".to_owned())]);
    }
}
