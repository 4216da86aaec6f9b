//! Where regions are: files in the directory for named ones, or anywhere.

use core::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::libc;
use strait_os_base::OsError;

use crate::directory::Directory;
use crate::failed::OpenFailed;
use crate::file::check;

/// The prefix of a named region's file.
const PREFIX: &str = "strait.";

/// The file that a region is, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    /// Whether it is a name's, and so strait's own whatever it holds.
    named: bool,
}

impl Place {
    /// The place of a name, which has been checked.
    pub fn named(name: &str) -> Result<Self, OsError> {
        Directory::of_all().map(|directory| Self::within(&directory, name))
    }

    /// The same in a directory, which is checked.
    pub fn named_in(directory: &Path, name: &str) -> Result<Self, OsError> {
        Directory::chosen(directory).map(|directory| Self::within(&directory, name))
    }

    fn within(directory: &Directory, name: &str) -> Self {
        Self { path: directory.path.join(format!("{PREFIX}{name}")), named: true }
    }

    /// The place in a file.
    #[must_use]
    pub fn file(path: PathBuf) -> Self {
        Self { path, named: false }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    pub(crate) fn file_path(&self) -> &Path {
        &self.path
    }

    /// Unlinks the file, if it is a name's or starts like a region.
    pub fn remove(&self) -> Result<(), OpenFailed> {
        if !self.named {
            check::refuse_other_files(&self.path)?;
        }
        unlink(&self.path)
    }

    /// The names that files in the directory for named regions have, whatever they are.
    pub fn names() -> Result<Vec<String>, OsError> {
        names(&Directory::of_all()?)
    }

    /// The same of a directory, which is checked.
    pub fn names_in(directory: &Path) -> Result<Vec<String>, OsError> {
        names(&Directory::chosen(directory)?)
    }
}

fn names(directory: &Directory) -> Result<Vec<String>, OsError> {
    let failed = |error: io::Error| OsError::io(directory.listing, &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory.path).map_err(failed)? {
        let file_name = entry.map_err(failed)?.file_name();
        let name = file_name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        names.extend(name.map(String::from));
    }
    Ok(names)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Takes a file's name away.
pub(crate) fn unlink(path: &Path) -> Result<(), OpenFailed> {
    fs::remove_file(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ENOENT) => OpenFailed::NotFound,
        Some(libc::EISDIR) => OpenFailed::NotAFile { kind: "directory" },
        // Some systems say EPERM of a directory.
        Some(libc::EPERM) if path.is_dir() => OpenFailed::NotAFile { kind: "directory" },
        Some(libc::EACCES | libc::EPERM) => OpenFailed::NotPermitted { owner: check::owner_of(path) },
        _ => OpenFailed::Os(OsError::io("unlink", &error)),
    })
}
