//! A file on its way: with a private name, until it is complete; and again when it was removed but
//! is still mapped.

use core::ptr::null_mut;
use std::fs::File;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::FromRawHandle;
use std::path::{Path, PathBuf};

use strait_os_base::{OsError, PrivateName, directory_of};
use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateFileW, DELETE, FILE_ATTRIBUTE_NORMAL, FILE_FLAG_DELETE_ON_CLOSE,
    FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, MoveFileExW,
};

use super::check;
use crate::entropy;
use crate::error::FromCall as _;
use crate::error::FromOs as _;
use crate::failed::{CreateFailed, OpenFailed};
use crate::security::Descriptor;
use crate::wide::wide;

/// The prefix of private names.
const PRIVATE: &str = ".strait-draft.";

/// The private name of a new file, which nobody looks for.
///
/// It is removed when this is dropped; once it is published, there is none to remove.
#[derive(Debug)]
pub(crate) struct Draft(PrivateName);

impl Draft {
    /// A file of `len` zeros with this security and its space taken, in the directory of `target`.
    pub(crate) fn new(target: &Path, security: &Descriptor, len: u32) -> Result<(Self, File), CreateFailed> {
        sweep(directory_of(target));
        let private = private_name(target).map_err(CreateFailed::Os)?;
        let attributes = security.attributes();
        let name = wide(&private);
        let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        // SAFETY: the name ends in a zero, and like the attributes lives until the call is over.
        let handle = unsafe {
            CreateFileW(
                name.as_ptr(),
                GENERIC_READ | GENERIC_WRITE,
                share,
                &raw const attributes,
                CREATE_NEW,
                FILE_ATTRIBUTE_NORMAL,
                null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(CreateFailed::from_os(OsError::last("CreateFile")));
        }
        // SAFETY: the call made the handle, and nobody else knows it.
        let file = unsafe { File::from_raw_handle(handle.cast()) };
        let draft = Self(PrivateName::of(private));
        let grown = file.set_len(u64::from(len));
        grown.map_err(|error| CreateFailed::from_os(OsError::io("SetEndOfFile", &error)))?;
        Ok((draft, file))
    }

    /// Gives the file its name, in one step. Never replaces a file that has the name already.
    pub(crate) fn publish(&mut self, target: &Path) -> Result<(), CreateFailed> {
        rename(self.0.path(), target).map_err(CreateFailed::from_os)
    }
}

/// Takes a file's name away. One that is open or mapped cannot be deleted, or keeps its name for as
/// long, but it can be renamed: it gets a private name and is deleted with its last handle, or
/// by the next process that creates or removes a region in that directory.
pub(crate) fn remove(path: &Path) -> Result<(), OpenFailed> {
    if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Err(OpenFailed::NotAFile { kind: "directory" });
    }
    check::refuse_other_files(path)?;
    let private = private_name(path)?;
    rename(path, &private).map_err(OpenFailed::from_os)?;
    sweep(directory_of(path));
    Ok(())
}

/// Deletes files under private names in a directory that nobody has open: drafts whose creator
/// died, and regions that were removed.
pub(crate) fn sweep(dir: &Path) {
    for entry in dir.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PRIVATE)) {
            // Shared with nobody: so it opens only if nobody has it open. It goes as it is closed.
            let _ = File::options()
                .access_mode(DELETE)
                .share_mode(0)
                .custom_flags(FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT)
                .open(entry.path());
        }
    }
}

/// A private name in the same directory.
fn private_name(beside: &Path) -> Result<PathBuf, OsError> {
    let random = entropy::random_u64()?;
    Ok(directory_of(beside).join(format!("{PRIVATE}{random:016x}")))
}

fn rename(from: &Path, to: &Path) -> Result<(), OsError> {
    let (from, to) = (wide(from), wide(to));
    // SAFETY: both names end in a zero. Without a flag nothing is ever replaced.
    if unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), 0) } == 0 {
        return Err(OsError::last("MoveFileEx"));
    }
    Ok(())
}
