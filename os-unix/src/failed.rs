//! Why the system refused: one enum per operation, the same on every system. `strait-os` makes its errors of
//! them.

use std::io;

use nix::libc;
use strait_core::format::AttachError;

use crate::error::{FromCall as _, OsError};
use crate::map;
use crate::options::{Exposure, Owner};

/// Why nothing was created; `strait_os::CreateError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateFailed {
    /// Something is there.
    AlreadyExists,
    /// An object of another kind has the name.
    NameTaken,
    /// A region cannot have this mode.
    Mode {
        /// The mode asked for.
        mode: u32,
    },
    /// Out of space.
    NoSpace,
    /// Longer than this process's files may be.
    FileSizeLimit {
        /// Bytes.
        limit: u64,
    },
    /// No such directory.
    NoDirectory,
    /// Denied.
    NotPermitted,
    /// Denied for want of a privilege.
    NotPrivileged,
    /// What has the name is not to be trusted.
    Untrusted(OpenFailed),
    /// Not locked into memory.
    Lock(OsError),
    /// There is no such thing here.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why something was not opened; `strait_os::OpenError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailed {
    /// Nothing is there.
    NotFound,
    /// Denied.
    NotPermitted,
    /// No regular file.
    NotAFile {
        /// What it is.
        kind: &'static str,
    },
    /// An object of another kind has the name.
    NameTaken,
    /// Too many names.
    Linked {
        /// How many.
        links: u64,
    },
    /// Open elsewhere, and not shared.
    InUse,
    /// Another user's.
    WrongOwner {
        /// Whose it is.
        found: Owner,
        /// Whose it should be.
        wanted: Owner,
    },
    /// Lets in too many.
    TooOpen(Exposure),
    /// No room for a header.
    TooShort {
        /// Bytes.
        len: u64,
    },
    /// 2 GiB or more.
    TooLong {
        /// Bytes.
        len: u64,
    },
    /// Out of space.
    NoSpace,
    /// The header is wrong.
    Attach(AttachError),
    /// Of another namespace.
    OtherNamespace,
    /// Not locked into memory.
    Lock(OsError),
    /// Anything else.
    Os(OsError),
}

/// Why a region was not handed over; `strait_os::ShareError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareFailed {
    /// Not sealed.
    NotSealed,
    /// Denied.
    NotPermitted,
    /// The peer is gone.
    Closed,
    /// There is no such thing here.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why a region was not taken; `strait_os::ReceiveError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveFailed {
    /// The peer is gone.
    Closed,
    /// Something else came.
    NotARegion,
    /// Not sealed.
    Unsealed,
    /// The length is not the header's.
    WrongSize {
        /// What the header says.
        header: u32,
        /// What it is.
        found: u32,
    },
    /// There is no such thing here.
    Unsupported,
    /// Not mapped.
    Open(OpenFailed),
    /// Anything else.
    Os(OsError),
}

impl CreateFailed {
    pub(crate) fn from_io(call: &'static str, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EEXIST) => Self::AlreadyExists,
            Some(libc::ENOSPC | libc::EDQUOT) => Self::NoSpace,
            Some(libc::ENOENT | libc::ENOTDIR) => Self::NoDirectory,
            Some(libc::EACCES | libc::EPERM | libc::EROFS) => Self::NotPermitted,
            _ => Self::Os(OsError::io(call, error)),
        }
    }
}

impl From<map::Failed> for CreateFailed {
    fn from(failed: map::Failed) -> Self {
        match failed {
            map::Failed::Map(error) => Self::Os(error),
            map::Failed::Lock(error) => Self::Lock(error),
        }
    }
}

impl From<map::Failed> for OpenFailed {
    fn from(failed: map::Failed) -> Self {
        match failed {
            map::Failed::Map(error) => Self::Os(error),
            map::Failed::Lock(error) => Self::Lock(error),
        }
    }
}

impl From<map::CopyFailed> for OpenFailed {
    fn from(failed: map::CopyFailed) -> Self {
        match failed {
            map::CopyFailed::Short { len } => Self::TooShort { len },
            map::CopyFailed::Os(error) => Self::Os(error),
        }
    }
}

impl From<OsError> for CreateFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl From<OsError> for OpenFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl From<OsError> for ReceiveFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}
