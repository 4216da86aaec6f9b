//! The directory that names are in: the one that a program or the variable `STRAIT_DIR` names, or the system's.
//!
//! A directory that somebody names is checked: only its owner, who is this user or root, can have taken a file away and
//! put another one in its place. Who may change the directories above it is the matter of whoever names it. What is in
//! it is checked when it is opened.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::geteuid;
use strait_os_base::OsError;

use crate::file::os::{LIST_NAMES, named_dir};
use crate::privileged;

/// The variable that names the directory.
const VARIABLE: &str = "STRAIT_DIR";
/// The step of listing the names in it.
const LIST_CHOSEN: &str = "read the directory for names, which STRAIT_DIR or the program names";

const RELATIVE: OsError = OsError::explained(
    "the directory for names (STRAIT_DIR) must be an absolute path, so that all programs mean the same one",
    libc::EINVAL,
);
const MISSING: OsError = OsError::explained(
    "the directory for names, which STRAIT_DIR or the program names, does not exist; create it with mode 0700",
    libc::ENOENT,
);
const UNSAFE: OsError = OsError::explained(
    "the directory for names, which STRAIT_DIR or the program names, must be a directory (no link) of this user or of \
     root, and one that others may write to must have the sticky bit; `chmod 0700` it, or `chmod +t`",
    libc::EACCES,
);

/// A directory for names.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    /// The step of listing what is in it.
    pub(crate) listing: &'static str,
}

impl Directory {
    /// The one of all programs: what the variable names, or the system's.
    pub(crate) fn of_all() -> Result<Self, OsError> {
        match variable() {
            Some(path) => Self::chosen(Path::new(&path)),
            None => Ok(Self { path: named_dir()?, listing: LIST_NAMES }),
        }
    }

    /// One that somebody names.
    pub(crate) fn chosen(path: &Path) -> Result<Self, OsError> {
        if !path.is_absolute() {
            return Err(RELATIVE);
        }
        // Without a slash or a dot at the end, which would lead through a link.
        let path: PathBuf = path.components().collect();
        let found = fs::symlink_metadata(&path).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => MISSING,
            _ => OsError::io("look at the directory for names", &error),
        })?;
        let ours = [0, geteuid().as_raw()].contains(&found.uid());
        let (open, sticky) = (found.mode() & 0o022 != 0, found.mode() & 0o1000 != 0);
        if !found.is_dir() || !ours || (open && !sticky) {
            return Err(UNSAFE);
        }
        Ok(Self { path, listing: LIST_CHOSEN })
    }
}

/// What the variable names, unless it is empty. A program with more rights than those of whoever started it takes no
/// directory from them.
pub(crate) fn variable() -> Option<OsString> {
    trusted(privileged::is_privileged(), std::env::var_os(VARIABLE))
}

fn trusted(is_privileged: bool, path: Option<OsString>) -> Option<OsString> {
    path.filter(|path| !is_privileged && !path.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use super::{Directory, MISSING, RELATIVE, UNSAFE, trusted};

    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_program_with_more_rights_than_who_started_it_takes_no_directory() {
        for (is_privileged, path, taken) in
            [(false, "/run/here", true), (false, "", false), (true, "/run/here", false), (true, "", false)]
        {
            let found = trusted(is_privileged, Some(path.into()));
            assert_eq!(found, taken.then(|| path.into()), "{is_privileged} {path}");
            assert_eq!(trusted(is_privileged, None), None);
        }
    }

    #[test]
    fn only_a_directory_that_its_owner_alone_changes_is_taken() {
        let scratch = Scratch(std::env::temp_dir().join(format!("strait-directory-{}", std::process::id())));
        let own = scratch.0.join("own");
        fs::create_dir_all(&own).expect("a directory");
        for (mode, taken) in
            [(0o700, true), (0o755, true), (0o770, false), (0o702, false), (0o1777, true), (0o1770, true)]
        {
            fs::set_permissions(&own, Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(
                Directory::chosen(&own).map(|found| found.path).ok(),
                taken.then(|| own.clone()),
                "{mode:o}"
            );
        }
        fs::set_permissions(&own, Permissions::from_mode(0o777)).expect("a mode");
        assert_eq!(Directory::chosen(&own).err(), Some(UNSAFE));
        fs::set_permissions(&own, Permissions::from_mode(0o700)).expect("a mode");

        let link = scratch.0.join("link");
        symlink(&own, &link).expect("a link");
        for end in ["", "/", "/.", "//./"] {
            let link = format!("{}{end}", link.display());
            assert_eq!(Directory::chosen(Path::new(&link)).err(), Some(UNSAFE), "{link}");
        }
        let file = scratch.0.join("file");
        fs::write(&file, "").expect("a file");
        assert_eq!(Directory::chosen(&file).err(), Some(UNSAFE));
        assert_eq!(Directory::chosen(&scratch.0.join("none")).err(), Some(MISSING));
        assert_eq!(Directory::chosen(Path::new("own")).err(), Some(RELATIVE));
    }
}
