//! Why the system refused an operation on a region: one enum per operation. `strait-os` makes its errors of them.
//!
//! `O` is the system's owner of a file or an object, and `E` how it lets in more users than it should.

use std::io;

use strait_core::format::AttachError;
use strait_core::ground::header::{HEADER_LEN, MAGIC, at};

use crate::error::OsError;

/// Regions are shorter than this.
const MAX_LEN: u64 = 1 << 31;

/// A header's bytes.
type Start = [u8; HEADER_LEN as usize];

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
    /// The mode lets others read and not write. Unix only.
    ReadersMode {
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

/// Why memory was not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapFailed {
    /// Denied.
    NotPermitted,
    /// Not locked into memory.
    Lock(OsError),
    /// It is shorter than its header states, or has pages that are only reserved.
    TooShort {
        /// Bytes that there should be.
        needed: u32,
        /// Bytes that there are.
        found: u64,
    },
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

impl<O, E> From<MapFailed> for CreateFailed<O, E> {
    fn from(failed: MapFailed) -> Self {
        match failed {
            MapFailed::NotPermitted => Self::NotPermitted,
            MapFailed::Lock(error) => Self::Lock(error),
            MapFailed::TooShort { .. } => Self::NoSpace,
            MapFailed::Os(error) => Self::Os(error),
        }
    }
}

impl<O, E> From<MapFailed> for OpenFailed<O, E> {
    fn from(failed: MapFailed) -> Self {
        match failed {
            MapFailed::NotPermitted => Self::NotPermitted { owner: None },
            MapFailed::Lock(error) => Self::Lock(error),
            MapFailed::TooShort { needed, found } => Self::Attach(AttachError::TooShort {
                needed,
                found: u32::try_from(found).unwrap_or(u32::MAX),
            }),
            MapFailed::Os(error) => Self::Os(error),
        }
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

    /// Checks what a file starts with: a region's magic, which one that is damaged or of another version has too. `read`
    /// is how `call` has read `start`.
    ///
    /// # Errors
    ///
    /// [`Attach`](Self::Attach): `Uninitialised` of a header that is zeros throughout, `ByteOrder`, or `NotARegion`;
    /// [`Os`](Self::Os) if it could not be read.
    pub fn check_start(start: &Start, call: &'static str, read: io::Result<()>) -> Result<(), Self> {
        let magic = start[at::MAGIC as usize..].first_chunk().copied().map(u32::from_le_bytes);
        Err(Self::Attach(match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => AttachError::NotARegion,
            Err(error) => return Err(Self::Os(OsError::io(call, &error))),
            Ok(()) if start.iter().all(|&byte| byte == 0) => AttachError::Uninitialised,
            Ok(()) => match magic {
                Some(MAGIC) => return Ok(()),
                Some(found) if found.swap_bytes() == MAGIC => AttachError::ByteOrder,
                _ => AttachError::NotARegion,
            },
        }))
    }

    /// As [`check_start`](Self::check_start), of a file that is to be removed: one that was never initialised, which
    /// is zeros, may go too.
    ///
    /// # Errors
    ///
    /// Those of `check_start`.
    pub fn check_removal(start: &Start, call: &'static str, read: io::Result<()>) -> Result<(), Self> {
        match Self::check_start(start, call, read) {
            Err(Self::Attach(AttachError::Uninitialised)) => Ok(()),
            other => other,
        }
    }
}
