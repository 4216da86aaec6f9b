//! Paths, and files under private names.

use std::path::{Path, PathBuf};

/// The directory that a path is in.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// The private name of a file, which nobody looks for. It is removed when this is dropped; a file that has another name
/// by then lives on under that.
#[derive(Debug)]
pub struct PrivateName(PathBuf);

impl PrivateName {
    /// Of a file that this process has made.
    #[must_use]
    pub fn of(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateName {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
