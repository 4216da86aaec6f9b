//! What passed and has not changed since: a search that takes minutes and whose result only its sources decide is not
//! made again.
//!
//! That holds for the models alone: the checker tries the same orders in each run. Tests, kills and fuzzing meet others
//! each time.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::run::Outcome;
use crate::say::say;

/// Everything that the models are made of.
const SOURCES: &[&str] =
    &["core/src", "core/Cargo.toml", "loom-tests", "Cargo.toml", "Cargo.lock", "xtask/src/steps.rs"];

/// Runs a step unless it passed before, on the same sources and with the same compiler. A file in the cache remembers
/// that.
pub fn unless_passed(step: &str, run: impl FnOnce() -> Outcome) -> Outcome {
    let mark = match mark(step) {
        Ok(mark) => mark,
        Err(outcome) => return outcome,
    };
    if mark.exists() {
        say!("{step}: passed before, and neither its sources nor the compiler have changed since;");
        say!("by its name, or with --nightly, it is run again ({})", mark.display());
        return Outcome::Passed;
    }
    let outcome = run();
    if outcome == Outcome::Passed
        && let Err(error) = fs::write(&mark, "")
    {
        return cache::failed(&mark, &error);
    }
    outcome
}

/// The file that says that a step passed as everything is now.
fn mark(step: &str) -> Result<PathBuf, Outcome> {
    let mut hasher = DefaultHasher::new();
    let compiler = Command::new("rustc").arg("-vV").output();
    compiler.map_err(|error| Outcome::Failed(format!("rustc -vV: {error}")))?.stdout.hash(&mut hasher);
    for source in SOURCES {
        let source = Path::new(source);
        hash(source, &mut hasher)
            .map_err(|error| Outcome::Failed(format!("{}: {error}", source.display())))?;
    }
    Ok(cache::folder("passed")?.join(format!("{step}-{:016x}", hasher.finish())))
}

/// Hashes the names and contents of a file, or of all files in a folder.
fn hash(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    path.hash(hasher);
    if !path.is_dir() {
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    entries.iter().try_for_each(|entry| hash(&entry.path(), hasher))
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::hash::{DefaultHasher, Hasher};
    use std::path::Path;

    use super::{SOURCES, hash};

    fn sum(path: &Path) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash(path, &mut hasher).expect("readable");
        hasher.finish()
    }

    #[test]
    fn a_byte_a_name_or_a_file_more_is_a_change() {
        let folder = env::temp_dir().join(format!("strait-xtask-passed-{}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).expect("a folder");
        let file = folder.join("inner/file");
        let mut sums = Vec::new();
        for content in ["a", "b"] {
            fs::write(&file, content).expect("written");
            sums.push(sum(&folder));
        }
        assert_eq!(sum(&folder), sums[1], "nothing changed");
        fs::rename(&file, folder.join("inner/other")).expect("renamed");
        sums.push(sum(&folder));
        fs::write(folder.join("more"), "").expect("written");
        sums.push(sum(&folder));
        fs::remove_dir_all(&folder).expect("removed");
        let count = sums.len();
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), count);
    }

    #[test]
    fn the_sources_exist() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(SOURCES.iter().all(|source| top.join(source).exists()));
    }
}
