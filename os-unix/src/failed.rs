//! Why the system refused: the enums of `strait_os_base`, and how this system's answers become them.

use std::io;

use nix::libc;
use strait_os_base::OsError;

use crate::map;
use crate::options::{Exposure, Owner};

pub(crate) type CreateFailed = strait_os_base::CreateFailed<Owner, Exposure>;
pub(crate) type OpenFailed = strait_os_base::OpenFailed<Owner, Exposure>;
pub(crate) type ReceiveFailed = strait_os_base::ReceiveFailed<Owner, Exposure>;

/// What the system's answer means.
pub(crate) trait FromIo {
    /// Why this call of the standard library failed.
    fn from_io(call: &'static str, error: &io::Error) -> Self;
}

impl FromIo for CreateFailed {
    fn from_io(call: &'static str, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EEXIST) => Self::AlreadyExists,
            Some(libc::ENOSPC | libc::EDQUOT) => Self::NoSpace,
            Some(libc::ENOENT | libc::ENOTDIR) => Self::NoDirectory,
            Some(libc::EROFS) => Self::ReadOnlyFileSystem,
            Some(libc::EACCES | libc::EPERM) => Self::NotPermitted,
            _ => Self::Os(OsError::io(call, error)),
        }
    }
}

impl From<map::CopyFailed> for OpenFailed {
    fn from(failed: map::CopyFailed) -> Self {
        match failed {
            map::CopyFailed::Short { len } => Self::TooShort { len },
            map::CopyFailed::Map(failed) => failed.into(),
            map::CopyFailed::Os(error) => Self::Os(error),
        }
    }
}
