//! What can go wrong with regions: one enum per operation.

use core::fmt;

use strait_core::{AttachError, FormatError};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_COMMITMENT_LIMIT, ERROR_DIRECTORY, ERROR_DISK_FULL,
    ERROR_FILE_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_HANDLE_DISK_FULL, ERROR_INVALID_HANDLE,
    ERROR_PATH_NOT_FOUND, ERROR_PRIVILEGE_NOT_HELD, ERROR_WRITE_PROTECT,
};

use crate::error::OsError;
use crate::map::MapError;
use crate::section::SignError;
use crate::security::{Distrust, Sid};

const LOCK_ADVICE: &str = "free memory, or grant the privilege to raise working sets, or do not lock";

/// Why a region could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// There is something under this name or path already. It was left as it is.
    AlreadyExists,
    /// The name belongs to another kind of object, or to a section that is not strait's.
    NameTaken,
    /// The plan cannot work.
    Format(FormatError),
    /// The options ask for a read-only mapping, through which nothing can be created.
    ReadOnly,
    /// There is not so much space.
    NoSpace,
    /// The directory does not exist.
    NoDirectory,
    /// This user may not create files there, or the name belongs to somebody else.
    NotPermitted,
    /// This user may not create sections that other sessions see.
    NotPrivileged,
    /// The name belongs to somebody whom the options do not trust.
    Untrusted(OpenError),
    /// The memory could not be locked.
    Lock(OsError),
    /// Some other error of the system.
    Os(OsError),
}

impl CreateError {
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

impl From<MapError> for CreateError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Map(error) => Self::Os(error),
            MapError::Lock(error) => Self::Lock(error),
            MapError::TooShort { .. } => Self::NoSpace,
        }
    }
}

impl From<SignError> for CreateError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Foreign => Self::NameTaken,
            SignError::NotPrivileged => Self::NotPrivileged,
            SignError::Map(error) => error.into(),
            SignError::Os(error) => Self::from_os(error),
        }
    }
}

impl From<Distrust> for CreateError {
    fn from(error: Distrust) -> Self {
        Self::Untrusted(error.into())
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => {
                f.write_str("it exists already; open it, or remove it first, or take another name")
            }
            Self::NameTaken => {
                f.write_str("the name belongs to an object that is no region; take another name")
            }
            Self::Format(error) => error.fmt(f),
            Self::ReadOnly => f.write_str("a region cannot be created read-only"),
            Self::NoSpace => f.write_str("no space for it; free some, or plan for less"),
            Self::NoDirectory => f.write_str("the directory does not exist; create it first"),
            Self::NotPermitted => {
                f.write_str("this user may not create it there; change the directory's rights, or the name")
            }
            Self::NotPrivileged => f.write_str(
                "only services and administrators may create it in Global (SeCreateGlobalPrivilege); let the \
                 service create it, or use a region in a file (Region::at), which needs no privilege",
            ),
            Self::Untrusted(error) => write!(f, "the name is there already: {error}"),
            Self::Lock(error) => {
                write!(f, "the region cannot be locked into memory ({error}); {LOCK_ADVICE}")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CreateError {}

/// Why a region could not be opened. Nothing has been mapped then, or it is unmapped again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// There is nothing under this name or path.
    NotFound,
    /// It does not let this user in.
    NotPermitted,
    /// What stands there is no regular file.
    NotAFile {
        /// What it is.
        kind: &'static str,
    },
    /// The name belongs to another kind of object, or to a section that is not strait's.
    NameTaken,
    /// The file has further names.
    Linked {
        /// How many names it has.
        links: u64,
    },
    /// Some program has the file open and does not share it.
    InUse,
    /// It belongs to somebody else, who could put anything into it.
    WrongOwner {
        /// Its owner.
        found: Sid,
    },
    /// It lets in somebody whom the options do not.
    TooOpen {
        /// One of them; `None` if it lets in everybody, or cannot be read.
        found: Option<Sid>,
    },
    /// The file is shorter than a region's header.
    TooShort {
        /// Its length.
        len: u64,
    },
    /// The file has 2 GiB or more.
    TooLong {
        /// Its length.
        len: u64,
    },
    /// What it holds is no region that this program can use.
    Attach(AttachError),
    /// It belongs to another session, or a container, where nobody could tell whether this process
    /// lives.
    OtherNamespace,
    /// Every place in the participant table is taken.
    TableFull,
    /// The memory could not be locked.
    Lock(OsError),
    /// Some other error of the system.
    Os(OsError),
}

impl OpenError {
    pub(crate) fn from_os(error: OsError) -> Self {
        match error.code() as u32 {
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => Self::NotFound,
            ERROR_ACCESS_DENIED => Self::NotPermitted,
            ERROR_INVALID_HANDLE => Self::NameTaken,
            _ => Self::Os(error),
        }
    }
}

impl From<MapError> for OpenError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Map(error) => Self::from_os(error),
            MapError::Lock(error) => Self::Lock(error),
            MapError::TooShort { needed, found } => Self::Attach(AttachError::TooShort {
                needed,
                found: u32::try_from(found).unwrap_or(u32::MAX),
            }),
        }
    }
}

impl From<SignError> for OpenError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Foreign => Self::NameTaken,
            SignError::NotPrivileged => Self::NotPermitted, // Of creating alone.
            SignError::Map(error) => error.into(),
            SignError::Os(error) => Self::from_os(error),
        }
    }
}

impl From<Distrust> for OpenError {
    fn from(error: Distrust) -> Self {
        match error {
            Distrust::Owner { found } => Self::WrongOwner { found },
            Distrust::TooOpen { found } => Self::TooOpen { found },
            Distrust::Os(error) => Self::Os(error),
        }
    }
}

impl From<OsError> for OpenError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such region; create it first"),
            Self::NotPermitted => f.write_str("it does not let this user in; run as its owner"),
            Self::NotAFile { kind } => write!(f, "it is a {kind}, no region; remove it or take another name"),
            Self::NameTaken => {
                f.write_str("the name belongs to an object that is no region; take another name")
            }
            Self::Linked { links } => write!(f, "the file has {links} names, a region has one; remove it"),
            Self::InUse => f.write_str("a program has the file open and does not share it; end that program"),
            Self::WrongOwner { found } => write!(
                f,
                "it belongs to {found}, whom the options do not trust; run as that user, or name it there"
            ),
            Self::TooOpen { found: Some(sid) } => {
                write!(f, "it lets in {sid}; change that, or allow it in the options")
            }
            Self::TooOpen { found: None } => {
                f.write_str("it lets in everybody, or in a way that cannot be read; change that")
            }
            Self::TooShort { len } => write!(f, "the file has {len} bytes, too few for a region"),
            Self::TooLong { len } => write!(f, "the file has {len} bytes; a region has less than 2 GiB"),
            Self::Attach(error) => error.fmt(f),
            Self::OtherNamespace => f.write_str(
                "it belongs to another session or container; use a region in Global or in a file",
            ),
            Self::TableFull => f.write_str(
                "every place in its participant table is taken; plan for more participants, or open read-only",
            ),
            Self::Lock(error) => write!(f, "the region cannot be locked into memory ({error}); {LOCK_ADVICE}"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

/// Why a region could neither be opened nor created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenOrCreateError {
    /// It is there, but could not be opened.
    Open(OpenError),
    /// It is not there, and could not be created.
    Create(CreateError),
    /// It comes and goes: whenever it was opened it was gone, whenever it was created it was there.
    Contended,
}

impl fmt::Display for OpenOrCreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Create(error) => error.fmt(f),
            Self::Contended => f.write_str("it is created and removed all the time; stop one of the two"),
        }
    }
}

impl core::error::Error for OpenOrCreateError {}

/// Why a region could not be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareError {
    /// The region has a name or a file, by which others open it.
    NotSealed,
    /// Handles may not be put into that process.
    NotPermitted,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str("it has a name or a file; let the peer open it by that"),
            Self::NotPermitted => {
                f.write_str("handles may not be put into that process; open it with PROCESS_DUP_HANDLE")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ShareError {}

/// Why a region could not be received. The handle is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The handle is not of a section, or does not let this process write.
    NotARegion,
    /// It could not be mapped or attached.
    Open(OpenError),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARegion => f.write_str("the handle is not of a region's memory, or not to write to it"),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReceiveError {}
