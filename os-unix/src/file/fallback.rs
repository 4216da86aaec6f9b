//! Files with a private name, and space reserved by writing zeros.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::geteuid;
use strait_os_base::OsError;

use crate::failed::OpenFailed;

/// There are no descriptors that name a file and do not open it, or they cannot be mapped.
pub(crate) const NAMES_ALONE: libc::c_int = 0;

/// The step of listing named regions.
pub(crate) const LIST_NAMES: &str = "read /tmp/strait-<uid>, the directory of named regions";

/// The directory of named regions, which only this user can enter.
pub(crate) fn named_dir() -> Result<PathBuf, OsError> {
    let uid = geteuid().as_raw();
    let dir = PathBuf::from(format!("/tmp/strait-{uid}"));
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(OsError::io("mkdir of the directory for named regions", &error));
        }
        _ => {}
    }
    let found = fs::symlink_metadata(&dir).map_err(|error| OsError::io("lstat", &error))?;
    if !found.is_dir() || found.uid() != uid || found.mode() & 0o077 != 0 {
        let text = "/tmp/strait-<uid>, for named regions, must be a directory of this user with mode 0700";
        return Err(OsError::explained(text, libc::EACCES));
    }
    Ok(dir)
}

/// There is no such thing here.
pub(crate) fn unnamed(_dir: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Never called, as there are no unnamed files.
pub(crate) fn link_unnamed(_file: &File, _target: &Path) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// There is no such call on all of these systems.
pub(crate) fn rename_new(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// There are none.
pub(crate) fn huge_page(_file: &File) -> Option<u64> {
    None
}

/// The caller writes zeros.
pub(crate) fn allocate(_file: &File, _len: u32) -> io::Result<bool> {
    Ok(false)
}

/// Holes are left alone.
pub(crate) fn fill_holes(_file: &File, _len: u32, _blocks: u64) -> Result<(), OpenFailed> {
    Ok(())
}

/// Nothing of the kind here.
pub(crate) fn is_shown_by_the_kernel(_file: &File) -> Result<bool, OsError> {
    Ok(false)
}

/// There are no dma-bufs.
pub(crate) fn is_dma_buf(_file: &File) -> Result<Option<bool>, OsError> {
    Ok(None)
}
