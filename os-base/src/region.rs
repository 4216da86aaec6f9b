//! Why the system refused an operation on a region: one enum per operation. `strait-os` makes its errors of them.
//!
//! `O` is the system's owner of a file or an object, and `E` how it lets in more users than it should.

use strait_core::format::{AttachError, HEADER_LEN};

use crate::error::OsError;

/// Regions are shorter than this.
const MAX_LEN: u64 = 1 << 31;

/// Why nothing was created; `strait_os::CreateError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateFailed<O, E> {
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
    /// Out of huge pages. On Linux alone.
    HugePages {
        /// Bytes of one.
        size: u64,
    },
    /// Longer than this process's files may be. Never on Windows.
    FileSizeLimit {
        /// Bytes.
        limit: u64,
    },
    /// No such directory.
    NoDirectory,
    /// The file system is mounted for reading alone. Never on Windows.
    ReadOnlyFileSystem,
    /// Denied.
    NotPermitted,
    /// Denied: a privilege is missing.
    NotPrivileged,
    /// What has the name is not to be trusted.
    Untrusted(OpenFailed<O, E>),
    /// Not locked into memory.
    Lock(OsError),
    /// There is no such thing here.
    Unsupported,
    /// Anything else.
    Os(OsError),
}

/// Why something was not opened; `strait_os::OpenError` says what each means to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailed<O, E> {
    /// Nothing is there.
    NotFound,
    /// Denied.
    NotPermitted {
        /// Whose it is, if that is known.
        owner: Option<O>,
    },
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
        found: O,
    },
    /// Lets in too many.
    TooOpen(E),
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
pub enum ReceiveFailed<O, E> {
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
    Open(OpenFailed<O, E>),
    /// Anything else.
    Os(OsError),
}

impl<O, E> From<OsError> for CreateFailed<O, E> {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl<O, E> From<OsError> for OpenFailed<O, E> {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl<O, E> From<OsError> for ReceiveFailed<O, E> {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl<O, E> OpenFailed<O, E> {
    /// The length of a file or a section, if a region can have it.
    ///
    /// # Errors
    ///
    /// [`TooShort`](Self::TooShort) or [`TooLong`](Self::TooLong).
    pub fn check_len(len: u64) -> Result<u32, Self> {
        if len < u64::from(HEADER_LEN) {
            return Err(Self::TooShort { len });
        }
        match u32::try_from(len) {
            Ok(short) if len < MAX_LEN => Ok(short),
            _ => Err(Self::TooLong { len }),
        }
    }
}
