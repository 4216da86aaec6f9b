//! What can go wrong with regions: one enum per operation.

use core::fmt;
use std::io;

use nix::libc;
use strait_core::{AttachError, FormatError};

use crate::error::{FromCall as _, OsError};
use crate::map::MapError;

const LOCK_ADVICE: &str = "raise RLIMIT_MEMLOCK (ulimit -l), or grant CAP_IPC_LOCK, or do not lock";

/// Why a region could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// There is something under this name or path already. It was left as it is.
    AlreadyExists,
    /// The plan cannot work.
    Format(FormatError),
    /// The options ask for a mode that a region cannot have.
    Mode {
        /// The mode asked for.
        mode: u32,
    },
    /// The options ask for a read-only mapping, through which nothing can be created.
    ReadOnly,
    /// No channel of the plan is for the domain that the options name, so it has no participants.
    Domain,
    /// The file system has not so much space.
    NoSpace,
    /// The directory does not exist.
    NoDirectory,
    /// This user may not create files there.
    NotPermitted,
    /// The memory could not be locked.
    Lock(OsError),
    /// This system has no sealed memory.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl CreateError {
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

impl From<MapError> for CreateError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Map(error) => Self::Os(error),
            MapError::Lock(error) => Self::Lock(error),
        }
    }
}

impl From<OsError> for CreateError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => {
                f.write_str("it exists already; open it, or remove it first, or take another name")
            }
            Self::Format(error) => error.fmt(f),
            Self::Mode { mode } => {
                write!(f, "mode {mode:04o} cannot be; give 0600, with 0066 at the most added to it")
            }
            Self::ReadOnly => f.write_str("a region cannot be created read-only"),
            Self::Domain => f.write_str("no channel of the plan is for this domain; name it in the plan"),
            Self::NoSpace => f.write_str("no space for it on the file system; free some, or plan for less"),
            Self::NoDirectory => f.write_str("the directory does not exist; create it first"),
            Self::NotPermitted => {
                f.write_str("this user may not create files there; change its owner or mode")
            }
            Self::Lock(error) => {
                write!(f, "the region cannot be locked into memory ({error}); {LOCK_ADVICE}")
            }
            Self::Unsupported => f.write_str("this system has no sealed memory; use a named region"),
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
    /// The file's mode does not let this user in.
    NotPermitted,
    /// What stands there is no regular file.
    NotAFile {
        /// What it is.
        kind: &'static str,
    },
    /// The file has further names.
    Linked {
        /// How many names it has.
        links: u64,
    },
    /// The file belongs to somebody else, who could put anything into it.
    WrongOwner {
        /// Its owner's user id.
        found: u32,
        /// The user id that the options ask for.
        wanted: u32,
    },
    /// The file's mode lets in more users than the options allow.
    TooOpen {
        /// Its mode.
        found: u32,
        /// The mode that the options allow.
        allowed: u32,
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
    /// The file has holes, and the file system no space to fill them.
    NoSpace,
    /// What the file holds is no region that this program can use.
    Attach(AttachError),
    /// Every place in the participant table is taken.
    TableFull,
    /// The memory could not be locked.
    Lock(OsError),
    /// Some other error of the system.
    Os(OsError),
}

impl From<MapError> for OpenError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Map(error) => Self::Os(error),
            MapError::Lock(error) => Self::Lock(error),
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
            Self::NotPermitted => f.write_str("its mode does not let this user in; run as its owner"),
            Self::NotAFile { kind } => write!(f, "it is a {kind}, no region; remove it or take another name"),
            Self::Linked { links } => write!(f, "the file has {links} names, a region has one; remove it"),
            Self::WrongOwner { found, wanted } => write!(
                f,
                "it belongs to user {found}, not {wanted}; run as that user, or name it as the owner to trust"
            ),
            Self::TooOpen { found, allowed } => write!(
                f,
                "its mode {found:04o} lets in more users than {allowed:04o}; change it, or allow that mode"
            ),
            Self::TooShort { len } => write!(f, "the file has {len} bytes, too few for a region"),
            Self::TooLong { len } => write!(f, "the file has {len} bytes; a region has less than 2 GiB"),
            Self::NoSpace => f.write_str("the file has holes, and there is no space to fill them; free some"),
            Self::Attach(error) => error.fmt(f),
            Self::TableFull => f.write_str(
                "every place for this domain in its participant table is taken, or it has none; plan for more, or open read-only",
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
    /// The region is not sealed memory: whoever gets it could cut it short under its users.
    NotSealed,
    /// This process is a forked child of the one that opened the region.
    Forked,
    /// The socket's other end is closed.
    Closed,
    /// This system has no sealed memory.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str("only sealed regions can be shared; create it as one"),
            Self::Forked => f.write_str("opened before a fork; share it from the process that opened it"),
            Self::Closed => f.write_str("the socket's other end is closed"),
            Self::Unsupported => f.write_str("this system has no sealed memory; use a named region"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ShareError {}

/// Why a sealed region could not be received. The descriptor, if one came, is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The socket's other end is closed, and nothing came.
    Closed,
    /// What came is not one descriptor with strait's mark beside it.
    NotARegion,
    /// The memory lacks a seal, so that the peer could cut it short.
    Unsealed,
    /// The memory's length is not what its header says.
    WrongSize {
        /// What the header says.
        header: u32,
        /// What it is.
        found: u32,
    },
    /// It could not be mapped or attached.
    Open(OpenError),
    /// This system has no sealed memory.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the socket's other end is closed, and no region came"),
            Self::NotARegion => f.write_str("the peer sent something else than a region"),
            Self::Unsealed => f.write_str("the memory that the peer sent is not sealed; refuse that peer"),
            Self::WrongSize { header, found } => {
                write!(f, "the region that the peer sent has {found} bytes, its header says {header}")
            }
            Self::Open(error) => error.fmt(f),
            Self::Unsupported => f.write_str("this system has no sealed memory; use a named region"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReceiveError {}

impl From<OsError> for ReceiveError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}
