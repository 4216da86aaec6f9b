//! Files without a name, and space reserved without writing to it.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::libc;
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use nix::unistd::linkat;
use strait_os_base::OsError;

use crate::failed::OpenFailed;
use crate::fd;

/// The type of sysfs.
const SYSFS: u32 = 0x6265_6572;

/// Of what dma-bufs are in since Linux 5.3, and of what they and other memory of drivers' were in before.
const DMA_BUF: u32 = 0x444D_4142;
const ANONYMOUS: u32 = 0x0904_1934;

/// The flag of a descriptor that names a file and does not open it.
pub(crate) const NAMES_ALONE: libc::c_int = libc::O_PATH;

/// The kernel's number, which not every C library names.
const RENAME_NOREPLACE: libc::c_uint = 1;

/// Tries before a call that signals keep interrupting is given up.
const TRIES: u32 = 100;

/// The step of listing named regions.
pub(crate) const LIST_NAMES: &str = "read /dev/shm, the directory of named regions";

/// The directory of named regions.
pub(crate) fn named_dir() -> Result<PathBuf, OsError> {
    super::NAMES.map(PathBuf::from).ok_or(super::NO_NAMES)
}

/// A new file in `dir` that has no name; `None` where the file system has no such thing, or where
/// `/proc` is missing and so it could never be given one.
pub(crate) fn unnamed(dir: &Path) -> io::Result<Option<File>> {
    if !super::HAS_UNNAMED {
        return Ok(None);
    }
    let opened = File::options().read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE).open(dir);
    match opened.and_then(fd::keep) {
        Ok(file) if is_reachable(&file) => Ok(Some(file)),
        Ok(_) => Ok(None),
        Err(error) => match error.raw_os_error() {
            Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL) => Ok(None),
            _ => Err(error),
        },
    }
}

fn by_number(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

fn is_reachable(file: &File) -> bool {
    match (std::fs::metadata(by_number(file)), file.metadata()) {
        (Ok(found), Ok(own)) => (found.dev(), found.ino()) == (own.dev(), own.ino()),
        _ => false,
    }
}

/// Gives an unnamed file its name.
pub(crate) fn link_unnamed(file: &File, target: &Path) -> io::Result<()> {
    linkat(AT_FDCWD, by_number(file).as_str(), AT_FDCWD, target, AtFlags::AT_SYMLINK_FOLLOW)?;
    Ok(())
}

/// Renames a file, and never replaces one that has the new name already.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let text = |path: &Path| CString::new(path.as_os_str().as_bytes());
    let (from, to, here) = (text(from)?, text(to)?, libc::AT_FDCWD);
    // SAFETY: the paths are strings with their ends, and live until the call is over.
    let done = unsafe {
        libc::syscall(libc::SYS_renameat2, here, from.as_ptr(), here, to.as_ptr(), RENAME_NOREPLACE)
    };
    Ok(Errno::result(done).map(drop)?)
}

/// The size of the huge pages that the file is in; `None` where it is in ordinary ones.
pub(crate) fn huge_page(file: &File) -> Option<u64> {
    let found = fstatfs(file).ok()?;
    (found.filesystem_type() == HUGETLBFS_MAGIC).then(|| u64::try_from(found.block_size()).ok())?
}

/// Whether the file is one of those by which the kernel shows devices (sysfs), the memory of PCI devices among them.
pub(crate) fn is_shown_by_the_kernel(file: &File) -> Result<bool, OsError> {
    let found = fstatfs(file).map_err(|error| OsError::new("fstatfs", error as i32))?;
    Ok(found.filesystem_type().0 as u32 == SYSFS)
}

/// Whether the descriptor is one of memory that no path leads to, and that cannot be opened again: `None` of none such,
/// else whether it is a dma-buf for certain.
pub(crate) fn is_dma_buf(file: &File) -> Result<Option<bool>, OsError> {
    let found = fstatfs(file).map_err(|error| OsError::new("fstatfs", error as i32))?;
    Ok(match found.filesystem_type().0 as u32 {
        DMA_BUF => Some(true),
        ANONYMOUS => Some(false),
        _ => None,
    })
}

/// Makes the file `len` long and takes the space; false where the file system cannot.
pub(crate) fn allocate(file: &File, len: u32) -> io::Result<bool> {
    let len = len as libc::off_t; // Below 2 GiB, so it fits 32 bits with a sign.
    for _ in 0..TRIES {
        // SAFETY: the call takes numbers.
        let done = unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, len) };
        match Errno::result(done) {
            Ok(_) => return Ok(true),
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => return Ok(false),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::EINTR.into())
}

/// Takes the space of a file that was copied with holes. Its contents stay as they are.
pub(crate) fn fill_holes(file: &File, len: u32, blocks: u64) -> Result<(), OpenFailed> {
    if blocks.saturating_mul(512) >= u64::from(len) {
        return Ok(());
    }
    match allocate(file, len) {
        Ok(_) => Ok(()),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT) => Err(OpenFailed::NoSpace),
            _ => Err(OpenFailed::Os(OsError::io("reserve space", &error))),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::libc;

    use super::rename_new;

    #[test]
    fn a_rename_never_replaces_a_file() {
        let scratch = std::env::temp_dir().join(format!("strait-rename-{}", std::process::id()));
        fs::create_dir_all(&scratch).expect("a directory");
        let (draft, target, other) = (scratch.join("draft"), scratch.join("target"), scratch.join("other"));
        fs::write(&draft, "new").expect("a file");
        rename_new(&draft, &target).expect("renamed");
        fs::write(&other, "later").expect("a file");
        let refused = rename_new(&other, &target).err().and_then(|error| error.raw_os_error());
        assert_eq!(refused, Some(libc::EEXIST));
        assert_eq!(fs::read(&target).expect("the file"), b"new");
        assert!(other.exists() && !draft.exists());
        fs::remove_dir_all(scratch).expect("removed");
    }
}
