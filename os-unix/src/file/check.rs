//! Opening a file that may be anything, and refusing all but a region that is safe to use.

use std::fs::{File, FileType, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use nix::libc;
use nix::unistd::geteuid;
use strait_core::format::HEADER_LEN;
use strait_os_base::{MapOptions, OsError};

use super::draft::finish_for_another;
use super::os;
use crate::failed::OpenFailed;
use crate::fd;
use crate::memfd::is_kept_long;
use crate::options::{Exposure, Options, Owner};

/// How often, and how long apart, a file with two names is looked at again: between getting its
/// public name and losing its private one it has both.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// Opens the file at `path` without following a link or waiting for anybody, and checks it: its
/// type, its links, its owner, its mode, its length. Answers with the length as well.
pub(crate) fn open(path: &Path, options: &Options) -> Result<(File, u32), OpenFailed> {
    let mut look = 0;
    loop {
        let file = open_only(path, options)?;
        let found = file.metadata().map_err(|error| OsError::io("fstat", &error))?;
        match check(&found, options) {
            Ok(len) => {
                if !options.map.read_only {
                    os::fill_holes(&file, len, found.blocks())?;
                }
                return Ok((file, len));
            }
            Err(OpenFailed::Linked { links: 2 }) if look < LOOKS => {
                if !finish_for_another(path, &found) {
                    std::thread::sleep(BETWEEN_LOOKS);
                }
            }
            Err(error) => return Err(error),
        }
        look += 1;
    }
}

/// Refuses a file at `path` that is nobody's region, by its start.
pub(crate) fn refuse_other_files(path: &Path) -> Result<(), OpenFailed> {
    let map = MapOptions { read_only: true, any_owner: true, ..MapOptions::PLAIN };
    let options = Options { map, ..Options::PRIVATE };
    let file = open_only(path, &options)?;
    let found = file.metadata().map_err(|error| OsError::io("fstat", &error))?;
    if !found.is_file() {
        return Err(OpenFailed::NotAFile { kind: kind(found.file_type()) });
    }
    let mut start = [0; HEADER_LEN as usize];
    let read = file.read_exact_at(&mut start, 0);
    OpenFailed::check_removal(&start, "pread", read)
}

/// Whether the file starts with a region's magic.
pub(crate) fn starts_like_a_region(file: &File) -> Result<(), OpenFailed> {
    let mut start = [0; HEADER_LEN as usize];
    let read = file.read_exact_at(&mut start, 0);
    OpenFailed::check_start(&start, "pread", read)
}

fn open_only(path: &Path, options: &Options) -> Result<File, OpenFailed> {
    File::options()
        .read(true)
        .write(!options.map.read_only)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .and_then(fd::keep)
        .map_err(|error| explain(path, &error))
}

/// The reason to refuse it, as far as the name itself shows one.
fn explain(path: &Path, error: &io::Error) -> OpenFailed {
    match error.raw_os_error() {
        Some(libc::ENOENT) => OpenFailed::NotFound,
        Some(libc::EACCES | libc::EPERM) => OpenFailed::NotPermitted { owner: owner_of(path) },
        _ => match path.symlink_metadata() {
            Ok(found) if !found.is_file() => OpenFailed::NotAFile { kind: kind(found.file_type()) },
            _ => OpenFailed::Os(OsError::io("open", error)),
        },
    }
}

/// Whose the file at `path` is, if it is another user's: its name shows that to whoever may enter its directory.
pub(crate) fn owner_of(path: &Path) -> Option<Owner> {
    let owner = path.symlink_metadata().ok()?.uid();
    (owner != geteuid().as_raw()).then_some(owner)
}

fn kind(found: FileType) -> &'static str {
    if found.is_symlink() {
        "symbolic link"
    } else if found.is_dir() {
        "directory"
    } else if found.is_fifo() {
        "FIFO"
    } else if found.is_socket() {
        "socket"
    } else {
        "device"
    }
}

/// Opens memory that is a file or a character device, and checks it as [`open`] does, but for its length.
pub(crate) fn open_memory(path: &Path, options: &Options) -> Result<(File, Metadata), OpenFailed> {
    let file = open_only(path, options)?;
    let found = file.metadata().map_err(|error| OsError::io("fstat", &error))?;
    check_memory(&found)?;
    check_access(&found, options)?;
    Ok((file, found))
}

/// Refuses what is neither a file nor a character device.
fn check_memory(found: &Metadata) -> Result<(), OpenFailed> {
    if found.file_type().is_char_device() || found.is_file() {
        return Ok(());
    }
    Err(OpenFailed::NotAFile { kind: kind(found.file_type()) })
}

/// Checks memory that came as a descriptor as [`open_memory`] does. A file without a name, as a memfd, is reached through
/// its descriptors alone: its mode keeps nobody out, and its owner cannot cut it short if it is sealed against that. Of
/// huge pages the owner could take one back, and there may be no other.
pub(crate) fn given(file: &File, found: &Metadata, options: &Options) -> Result<(), OpenFailed> {
    check_memory(found)?;
    if found.nlink() != 0 {
        return check_access(found, options);
    }
    if is_kept_long(file) && os::huge_page(file).is_none() { Ok(()) } else { check_owner(found, options) }
}

/// Takes the space of a file up to `end` that has only `blocks` of it, so that no later store ends this process.
/// Of a window that ends beyond 2 GiB nothing is taken.
pub(crate) fn reserve(file: &File, end: u64, blocks: u64) -> Result<(), OpenFailed> {
    match i32::try_from(end) {
        Ok(end) => os::fill_holes(file, end.unsigned_abs(), blocks),
        Err(_) => Ok(()),
    }
}

fn check(found: &Metadata, options: &Options) -> Result<u32, OpenFailed> {
    if !found.is_file() {
        return Err(OpenFailed::NotAFile { kind: kind(found.file_type()) });
    }
    check_access(found, options)?;
    OpenFailed::check_len(found.len())
}

/// Checks the names of a file, its owner and whom it lets in.
fn check_access(found: &Metadata, options: &Options) -> Result<(), OpenFailed> {
    match found.nlink() {
        0 => return Err(OpenFailed::NotFound), // Unlinked since it was opened.
        1 => {}
        links => return Err(OpenFailed::Linked { links }),
    }
    check_owner(found, options)?;
    if options.map.any_owner {
        return Ok(());
    }
    let mode = found.mode() & 0o7777;
    if mode & !options.mode != 0 {
        return Err(OpenFailed::TooOpen(Exposure { found: mode, allowed: options.mode }));
    }
    Ok(())
}

fn check_owner(found: &Metadata, options: &Options) -> Result<(), OpenFailed> {
    let wanted = options.owner.unwrap_or_else(|| geteuid().as_raw());
    if options.map.any_owner || found.uid() == wanted {
        return Ok(());
    }
    Err(OpenFailed::WrongOwner { found: found.uid() })
}
