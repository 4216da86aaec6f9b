//! Why the system refused: one enum per operation, the same on every system. `strait-os` makes its errors of
//! them.

use strait_core::format::AttachError;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_COMMITMENT_LIMIT, ERROR_DIRECTORY, ERROR_DISK_FULL,
    ERROR_FILE_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_HANDLE_DISK_FULL, ERROR_INVALID_HANDLE,
    ERROR_PATH_NOT_FOUND, ERROR_PRIVILEGE_NOT_HELD, ERROR_WRITE_PROTECT,
};

use crate::error::OsError;
use crate::map;
use crate::options::{Exposure, Owner};
use crate::section::SignError;
use crate::security::Distrust;

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
    /// Longer than this process's files may be; not on Windows.
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
    pub(crate) fn from_os(error: OsError) -> Self {
        match error.code() as u32 {
            ERROR_ALREADY_EXISTS | ERROR_FILE_EXISTS => Self::AlreadyExists,
            ERROR_DISK_FULL | ERROR_HANDLE_DISK_FULL | ERROR_COMMITMENT_LIMIT => Self::NoSpace,
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_DIRECTORY => Self::NoDirectory,
            ERROR_ACCESS_DENIED | ERROR_WRITE_PROTECT => Self::NotPermitted,
            ERROR_PRIVILEGE_NOT_HELD => Self::NotPrivileged,
            ERROR_INVALID_HANDLE => Self::NameTaken,
            _ => Self::Os(error),
        }
    }
}

impl From<map::Failed> for CreateFailed {
    fn from(failed: map::Failed) -> Self {
        match failed {
            map::Failed::Map(error) => Self::Os(error),
            map::Failed::Lock(error) => Self::Lock(error),
            map::Failed::TooShort { .. } => Self::NoSpace,
        }
    }
}

impl From<SignError> for CreateFailed {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Foreign => Self::NameTaken,
            SignError::NotPrivileged => Self::NotPrivileged,
            SignError::Map(failed) => failed.into(),
            SignError::Os(error) => Self::from_os(error),
        }
    }
}

impl From<Distrust> for CreateFailed {
    fn from(error: Distrust) -> Self {
        Self::Untrusted(error.into())
    }
}

impl From<OsError> for CreateFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl OpenFailed {
    pub(crate) fn from_os(error: OsError) -> Self {
        match error.code() as u32 {
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => Self::NotFound,
            ERROR_ACCESS_DENIED => Self::NotPermitted,
            ERROR_INVALID_HANDLE => Self::NameTaken,
            _ => Self::Os(error),
        }
    }
}

impl From<map::Failed> for OpenFailed {
    fn from(failed: map::Failed) -> Self {
        match failed {
            map::Failed::Map(error) => Self::from_os(error),
            map::Failed::Lock(error) => Self::Lock(error),
            map::Failed::TooShort { needed, found } => Self::Attach(AttachError::TooShort {
                needed,
                found: u32::try_from(found).unwrap_or(u32::MAX),
            }),
        }
    }
}

impl From<SignError> for OpenFailed {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Foreign => Self::NameTaken,
            SignError::NotPrivileged => Self::NotPermitted, // Of creating alone.
            SignError::Map(failed) => failed.into(),
            SignError::Os(error) => Self::from_os(error),
        }
    }
}

impl From<Distrust> for OpenFailed {
    fn from(error: Distrust) -> Self {
        match error {
            Distrust::Owner { found, wanted } => Self::WrongOwner { found, wanted },
            Distrust::TooOpen { found } => Self::TooOpen(Exposure { found }),
            Distrust::Os(error) => Self::Os(error),
        }
    }
}

impl From<OsError> for OpenFailed {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}
