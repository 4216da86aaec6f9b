//! The folder outside the clone that keeps what the lanes build.
//!
//! ```text
//! STRAIT_CACHE, by default ~/.cache/strait
//!     std/NAME             standard libraries, for all clones; see `sysroot`
//!     musl                 that C library, for all clones; see `musl`
//!     guest                an emulator and a kernel, for all clones; see `guest`
//!     clones/NAME-HASH     one clone's target folders
//! ```
//!
//! Two clones must not share a target folder. Cargo knows a workspace's own crates by their paths within the
//! workspace, and takes one clone's build of a crate for the other's if that is newer than the sources.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, Run};
use crate::say::say;

/// Names the folder.
const VARIABLE: &str = "STRAIT_CACHE";

/// The file in a clone's folder that says where the clone is.
const OWNER: &str = "clone";

/// The target folder `name` of this clone, created if it does not exist.
///
/// # Errors
///
/// The lane's outcome if there can be no such folder.
pub fn target(name: &str) -> Result<String, Outcome> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let clone = package.parent().unwrap_or(package);
    let clones = root()?.join("clones");
    let own = clones.join(key(clone));
    let folder = own.join(name);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(own.join(OWNER), clone.as_os_str().as_encoded_bytes()))
        .map_err(|error| failed(&folder, &error))?;
    remove_orphans(&clones).map_err(|error| failed(&clones, &error))?;
    Ok(folder.to_string_lossy().into_owned())
}

/// Removes what clones have left that no longer exist, and shows what room there is.
///
/// A run of all lanes takes some ten gigabytes, and a full disk fails it late.
pub fn make_room() {
    let Ok(root) = root() else { return };
    if let Err(error) = remove_orphans(&root.join("clones")) {
        say!("{}: {error}", root.display());
    }
    if cfg!(unix) {
        // Only shown; a system without it has a run of its own to fail.
        let _ = Run::new("df".into(), "df", "-h . /tmp").run();
    }
}

/// The folder of the standard libraries, created if it does not exist.
///
/// # Errors
///
/// The lane's outcome if there can be no such folder.
pub fn libraries() -> Result<PathBuf, Outcome> {
    folder("std")
}

/// The folder of this name for all clones, created if it does not exist.
///
/// # Errors
///
/// The lane's outcome if there can be no such folder.
pub fn folder(name: &str) -> Result<PathBuf, Outcome> {
    let folder = root()?.join(name);
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    Ok(folder)
}

/// A step's outcome if a folder or file of the cache cannot be used.
pub fn failed(path: &Path, error: &io::Error) -> Outcome {
    Outcome::Failed(format!("{}: {error}; {VARIABLE} names another folder to use", path.display()))
}

fn root() -> Result<PathBuf, Outcome> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = choose(variable(VARIABLE), variable("XDG_CACHE_HOME"), env::home_dir());
    match root {
        // The flags of a compiler are divided by blanks.
        Some(root) if root.is_absolute() && !root.to_string_lossy().contains(' ') => Ok(root),
        Some(root) => Err(Outcome::Failed(format!(
            "the cache would be `{}`; set {VARIABLE} to an absolute path without blanks",
            root.display()
        ))),
        None => Err(Outcome::Failed(format!("there is no home folder; set {VARIABLE} to a folder"))),
    }
}

fn choose(own: Option<PathBuf>, caches: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let caches = || caches.or_else(|| Some(home?.join(".cache")));
    own.or_else(|| Some(caches()?.join("strait")))
}

/// The name of the folder of the clone at this path.
fn key(clone: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    clone.hash(&mut hasher);
    let name = clone.file_name().unwrap_or_default().to_string_lossy().replace(' ', "-");
    format!("{name}-{:016x}", hasher.finish())
}

/// Removes the folders of clones that no longer exist.
fn remove_orphans(clones: &Path) -> io::Result<()> {
    if !clones.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(clones)? {
        let folder = entry?.path();
        // A folder without such a file is not ours, or another process has just created it.
        let Ok(owner) = fs::read_to_string(folder.join(OWNER)) else { continue };
        if !Path::new(&owner).exists() {
            say!("removing {}: there is no {owner} any more", folder.display());
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{OWNER, choose, key, remove_orphans};

    #[test]
    fn the_variables_decide_in_order() {
        let path = |path: &str| Some(PathBuf::from(path));
        assert_eq!(choose(path("/own"), path("/caches"), path("/home")), path("/own"));
        assert_eq!(choose(None, path("/caches"), path("/home")), path("/caches/strait"));
        assert_eq!(choose(None, None, path("/home")), path("/home/.cache/strait"));
        assert_eq!(choose(None, None, None), None);
    }

    #[test]
    fn clones_of_one_name_have_two_folders() {
        let (one, other) = (key(Path::new("/one/strait")), key(Path::new("/other/strait")));
        assert!(one.starts_with("strait-") && other.starts_with("strait-"));
        assert_ne!(one, other);
    }

    #[test]
    fn the_folder_of_a_clone_that_is_gone_is_removed_and_no_other() {
        let clones = env::temp_dir().join(format!("strait-xtask-clones-{}", std::process::id()));
        let folder = |name: &str, owner: Option<&Path>| {
            let folder = clones.join(name);
            fs::create_dir_all(folder.join("firmware")).expect("a folder");
            if let Some(owner) = owner {
                fs::write(folder.join(OWNER), owner.as_os_str().as_encoded_bytes()).expect("a file");
            }
            folder
        };
        let here = folder("here", Some(&clones));
        let gone = folder("gone", Some(&clones.join("no-such-clone")));
        let unknown = folder("unknown", None);
        remove_orphans(&clones).expect("removed");
        assert_eq!([here, gone, unknown].map(|folder| folder.exists()), [true, false, true]);
        fs::remove_dir_all(clones).expect("removed");
    }
}
