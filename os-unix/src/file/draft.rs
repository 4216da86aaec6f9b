//! A file on its way: without a name, or with a private one, until it is complete.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::libc;
use nix::sys::resource::{Resource, getrlimit};
use strait_os_base::{OsError, PrivateName, directory_of};

use super::os;
use crate::entropy;
use crate::failed::CreateFailed;
use crate::failed::FromIo as _;
use crate::fd;

/// The prefix of private names.
const PRIVATE: &str = ".strait.";

/// A new file with its space reserved, which nobody else can find.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    /// The private name, where the system has no files without one.
    private: Option<PrivateName>,
}

impl Draft {
    /// A file of `len` zeros and exactly this mode, on the file system of `target`.
    pub(crate) fn new(target: &Path, mode: u32, len: u32) -> Result<Self, CreateFailed> {
        let dir = directory_of(target);
        let draft = match os::unnamed(dir) {
            Ok(Some(file)) => Self { file, private: None },
            Ok(None) => Self::private(dir)?,
            Err(error) => return Err(CreateFailed::from_io("open", &error)),
        };
        set_mode(&draft.file, mode)?;
        reserve(&draft.file, len)?;
        Ok(draft)
    }

    fn private(dir: &Path) -> Result<Self, CreateFailed> {
        let random = entropy::random_u64().map_err(CreateFailed::Os)?;
        let private = dir.join(format!("{PRIVATE}{random:016x}"));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&private)
            .map_err(|error| CreateFailed::from_io("open", &error))?;
        let private = PrivateName::of(private);
        let file = fd::keep(file).map_err(|error| CreateFailed::from_io("dup", &error))?;
        Ok(Self { file, private: Some(private) })
    }

    /// The file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Where the file can be opened now.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.private.as_ref().map(PrivateName::path)
    }

    /// Gives the file its name, in one step. Never replaces a file that has the name already.
    pub(crate) fn publish(&self, target: &Path) -> Result<(), CreateFailed> {
        let linked = match &self.private {
            None => os::link_unnamed(&self.file, target),
            Some(private) => match fs::hard_link(private.path(), target) {
                // A file system without second names, or a system that grants them to nobody (Android's apps).
                Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) => {
                    os::rename_new(private.path(), target).map_err(|_| error)
                }
                other => other,
            },
        };
        linked.map_err(|error| CreateFailed::from_io("link", &error))
    }
}

/// Takes the private name away from a published file whose creator has not got that far, and may
/// have died before it could. Whether there was one.
pub(crate) fn finish_for_another(published: &Path, file: &Metadata) -> bool {
    let entries = directory_of(published).read_dir().into_iter().flatten().flatten();
    let private = |name: &OsStr| name.as_bytes().starts_with(PRIVATE.as_bytes());
    let same = |path: &Path| {
        path.symlink_metadata().is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
    };
    entries
        .filter(|entry| private(&entry.file_name()) && same(&entry.path()))
        .any(|entry| fs::remove_file(entry.path()).is_ok())
}

/// Sets exactly this mode: `fchmod` does not look at the umask.
pub(crate) fn set_mode(file: &File, mode: u32) -> Result<(), CreateFailed> {
    file.set_permissions(Permissions::from_mode(mode))
        .map_err(|error| CreateFailed::from_io("fchmod", &error))
}

/// Makes `file` this long, with its space taken now: a full file system is an error here, and no
/// signal later.
pub(crate) fn reserve(file: &File, len: u32) -> Result<(), CreateFailed> {
    // Beyond it the kernel raises `SIGXFSZ`, which ends the process before there is an error.
    let (limit, _) =
        getrlimit(Resource::RLIMIT_FSIZE).map_err(|error| OsError::new("getrlimit", error as i32))?;
    let limit = wide(limit);
    if u64::from(len) > limit {
        return Err(CreateFailed::FileSizeLimit { limit });
    }
    let reserved = match os::allocate(file, len) {
        Ok(true) => Ok(()),
        Ok(false) => write_zeros(file, len),
        Err(error) => Err(error),
    };
    reserved.map_err(|error| match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT | libc::ENOMEM) => match os::huge_page(file) {
            Some(size) => CreateFailed::HugePages { size },
            None => CreateFailed::NoSpace,
        },
        _ => CreateFailed::Os(OsError::io("reserve space", &error)),
    })
}

/// A limit, which is not of one type on all systems; what is none there is none here.
fn wide(limit: impl TryInto<u64>) -> u64 {
    limit.try_into().unwrap_or(u64::MAX)
}

fn write_zeros(file: &File, len: u32) -> io::Result<()> {
    const CHUNK: usize = 1 << 16;
    let zeros = [0; CHUNK];
    let mut at = 0_u64;
    while at < u64::from(len) {
        let rest = (u64::from(len) - at).min(CHUNK as u64);
        file.write_all_at(&zeros[..rest as usize], at)?;
        at += rest;
    }
    Ok(())
}
