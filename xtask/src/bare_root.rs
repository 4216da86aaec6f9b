//! Roots as containers have them: what a lane has installed is used where nothing else is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::run::{Outcome, Run};
use crate::say::say;

/// Namespaces in which anybody may mount and change the root.
const NAMESPACES: &str = "--user --map-root-user --mount";

/// Runs a script in namespaces of its own, with an empty folder for the root that it makes, and more words. Where no
/// such namespaces can be made, as in most containers, the reason is printed, and nothing is run.
pub fn run(script: &str, root: &Path, words: &[&str]) -> Outcome {
    if let Err(why) = may_be_made() {
        say!("SKIPPED the bare root: {why}");
        return Outcome::Passed;
    }
    if let Err(outcome) = emptied(root) {
        return outcome;
    }
    let root = root.to_string_lossy();
    let script = Run::new("unshare".into(), "unshare", &format!("{NAMESPACES} sh {script}")).word(&root);
    words.iter().fold(script, |script, word| script.word(word)).run()
}

/// Whether the system lets us mount in namespaces of our own.
fn may_be_made() -> Result<(), String> {
    let tried = Command::new("unshare")
        .args(NAMESPACES.split(' '))
        .args(["sh", "-c", "mount -t tmpfs none /mnt && chroot / /bin/true"])
        .output()
        .map_err(|error| format!("unshare cannot be run: {error}"))?;
    if tried.status.success() {
        return Ok(());
    }
    Err(format!("no namespaces with mounts: {}", String::from_utf8_lossy(&tried.stderr).trim()))
}

fn emptied(root: &Path) -> Result<(), Outcome> {
    let failed = |error| cache::failed(root, &error);
    if root.exists() {
        fs::remove_dir_all(root).map_err(failed)?;
    }
    fs::create_dir_all(root).map_err(failed)
}

/// The one file in a folder whose name ends so.
pub fn only(folder: &Path, end: &str) -> Result<PathBuf, Outcome> {
    let files = fs::read_dir(folder).map_err(|error| cache::failed(folder, &error))?;
    let mut found =
        files.flatten().map(|file| file.path()).filter(|path| path.to_string_lossy().ends_with(end));
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path),
        _ => Err(Outcome::Failed(format!("{} must have one file that ends in {end}", folder.display()))),
    }
}
