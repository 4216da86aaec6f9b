//! Errors of regions: one enum per operation, the same on every system. A variant that occurs on some systems only
//! names them.

use core::fmt;

use strait_core::format::{AttachError, FormatError};
use strait_os_base::ShareFailed;

use crate::sys::{Exposure, Owner};
use crate::{LOCK_ADVICE, OsError};

pub(super) type CreateFailed = strait_os_base::CreateFailed<Owner, Exposure>;
type OpenFailed = strait_os_base::OpenFailed<Owner, Exposure>;
type ReceiveFailed = strait_os_base::ReceiveFailed<Owner, Exposure>;

/// Why a region could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// There is something under this name or path already. It was left as it is.
    AlreadyExists,
    /// The name belongs to another kind of object, or to a section that is not strait's. Windows only.
    NameTaken,
    /// The plan cannot work.
    Format(FormatError),
    /// The options ask for a mode that a region cannot have. Unix only.
    Mode {
        /// The mode asked for.
        mode: u32,
    },
    /// The mode lets others read the region and not write to it, and such a reader can keep all others from joining.
    /// Unix only.
    ReadersMode {
        /// The mode asked for.
        mode: u32,
    },
    /// The options ask for a read-only mapping, through which nothing can be created.
    ReadOnly,
    /// No channel of the plan is for the domain that the options name, so it has no participants.
    Domain,
    /// There is not enough space.
    NoSpace,
    /// The file system is one of huge pages, and has too few of them. Linux only.
    HugePages {
        /// How long one is, in bytes: a region there takes whole ones.
        size: u64,
    },
    /// This process may not make files of that length. Unix only.
    FileSizeLimit {
        /// The longest that it may make, in bytes.
        limit: u64,
    },
    /// The directory does not exist.
    NoDirectory,
    /// The file system is mounted for reading alone. Unix only.
    ReadOnlyFileSystem,
    /// This user may not create files there; on Windows also, the name belongs to somebody else.
    NotPermitted,
    /// This user may not create sections that other sessions see. Windows only.
    NotPrivileged,
    /// The name belongs to somebody whom the options do not trust. Windows only.
    Untrusted(OpenError),
    /// The memory could not be locked.
    Lock(OsError),
    /// This system has no sealed memory. Unix other than Linux only.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl From<CreateFailed> for CreateError {
    fn from(failed: CreateFailed) -> Self {
        match failed {
            CreateFailed::AlreadyExists => Self::AlreadyExists,
            CreateFailed::NameTaken => Self::NameTaken,
            CreateFailed::Mode { mode } => Self::Mode { mode },
            CreateFailed::ReadersMode { mode } => Self::ReadersMode { mode },
            CreateFailed::NoSpace => Self::NoSpace,
            CreateFailed::HugePages { size } => Self::HugePages { size },
            CreateFailed::FileSizeLimit { limit } => Self::FileSizeLimit { limit },
            CreateFailed::NoDirectory => Self::NoDirectory,
            CreateFailed::ReadOnlyFileSystem => Self::ReadOnlyFileSystem,
            CreateFailed::NotPermitted => Self::NotPermitted,
            CreateFailed::NotPrivileged => Self::NotPrivileged,
            CreateFailed::Untrusted(failed) => Self::Untrusted(failed.into()),
            CreateFailed::Lock(error) => Self::Lock(error),
            CreateFailed::Unsupported => Self::Unsupported,
            CreateFailed::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => {
                f.write_str("there is a region or something else of this name already; open it, or take another name")
            }
            Self::NameTaken => f.write_str(NAME_TAKEN),
            Self::Format(error) => error.fmt(f),
            Self::Mode { mode } => {
                write!(f, "a region cannot have mode {mode:04o}; give 0600, with 0066 at the most added to it")
            }
            Self::ReadersMode { mode } => write!(
                f,
                "the region's mode {mode:04o} lets others read it and not write to it, and by a lock on its file such a \
                 reader can keep all others from joining; give 0660 or 0666, or allow readers (allow_readers, \
                 STRAIT_READERS)"
            ),
            Self::ReadOnly => f.write_str("a region cannot be created read-only; leave that option out"),
            Self::Domain => f.write_str("no channel of the plan is for the options' domain; name it in the plan"),
            Self::NoSpace => f.write_str("there is no space for the region; free some, or plan for less"),
            Self::HugePages { size } => write!(
                f,
                "there are too few free huge pages of {size} bytes for the region; raise vm.nr_hugepages, or plan for \
                 less"
            ),
            Self::FileSizeLimit { limit } => write!(
                f,
                "this process may not make files of more than {limit} bytes; raise that limit (ulimit -f), or plan for less"
            ),
            Self::NoDirectory => f.write_str(
                "the region's directory does not exist (on Linux a name's is /dev/shm, a tmpfs, or what STRAIT_DIR names); create it first",
            ),
            Self::ReadOnlyFileSystem => f.write_str(
                "the region's file system is mounted read-only; mount it for writing, or put the region elsewhere",
            ),
            Self::NotPermitted => f.write_str(
                "this user may not create the region there; change the directory's owner or rights, or put it elsewhere",
            ),
            Self::NotPrivileged => f.write_str(
                "only services and administrators may create a region in Global (SeCreateGlobalPrivilege); let the \
                 service create it, or use a region in a file (RegionFile), which needs no privilege",
            ),
            Self::Untrusted(error) => write!(f, "the region's name is there already: {error}"),
            Self::Lock(error) => not_locked(f, error),
            Self::Unsupported => f.write_str(UNSUPPORTED),
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
    NotPermitted {
        /// Its owner, if that is another user and is known: a user id. `None` on Windows.
        owner: Option<Owner>,
    },
    /// The path is no regular file.
    NotAFile {
        /// The kind of object that it is.
        kind: &'static str,
    },
    /// The name belongs to another kind of object, or to a section that is not strait's. Windows only.
    NameTaken,
    /// The file has further names.
    Linked {
        /// How many names it has.
        links: u64,
    },
    /// Some program has the file open and does not share it. Windows only.
    InUse,
    /// It belongs to another user, who could put anything into it.
    WrongOwner {
        /// Its owner: a user id, on Windows a `Sid`.
        found: Owner,
    },
    /// It lets in somebody whom the options do not.
    TooOpen(Exposure),
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
    /// The file has holes, and the file system no space to fill them. Linux only.
    NoSpace,
    /// Its content is no region that this program can use.
    Attach(AttachError),
    /// It belongs to another session, or a container, where nobody could tell whether this process lives.
    /// Windows only.
    OtherNamespace,
    /// Every place for this domain in the participant table is taken.
    TableFull,
    /// The memory could not be locked.
    Lock(OsError),
    /// Some other error of the system.
    Os(OsError),
}

impl From<OpenFailed> for OpenError {
    fn from(failed: OpenFailed) -> Self {
        match failed {
            OpenFailed::NotFound => Self::NotFound,
            OpenFailed::NotPermitted { owner } => Self::NotPermitted { owner },
            OpenFailed::NotAFile { kind } => Self::NotAFile { kind },
            OpenFailed::NameTaken => Self::NameTaken,
            OpenFailed::Linked { links } => Self::Linked { links },
            OpenFailed::InUse => Self::InUse,
            OpenFailed::WrongOwner { found } => Self::WrongOwner { found },
            OpenFailed::TooOpen(exposure) => Self::TooOpen(exposure),
            OpenFailed::TooShort { len } => Self::TooShort { len },
            OpenFailed::TooLong { len } => Self::TooLong { len },
            OpenFailed::NoSpace => Self::NoSpace,
            OpenFailed::Attach(error) => Self::Attach(error),
            OpenFailed::OtherNamespace => Self::OtherNamespace,
            OpenFailed::Lock(error) => Self::Lock(error),
            OpenFailed::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such region; create it first"),
            Self::NotPermitted { owner: Some(owner) } => write!(
                f,
                "the region belongs to user {owner}, and its mode does not let this user in; run as that user, or \
                 create it with a mode that does"
            ),
            Self::NotPermitted { owner: None } => {
                f.write_str("the region does not let this user in; run as its owner, or let this user in")
            }
            Self::NotAFile { kind } => write!(f, "this is a {kind}, not a region; give another name or path"),
            Self::NameTaken => f.write_str(NAME_TAKEN),
            Self::Linked { links } => write!(f, "the file has {links} names, a region's has one; give a file that has one"),
            Self::InUse => f.write_str("a program has the file open and does not share it; end that program"),
            Self::WrongOwner { found } => write!(
                f,
                "the region belongs to user {found}, which the options do not trust; run as that user, or name it as the \
                 owner"
            ),
            Self::TooOpen(exposure) => exposure.fmt(f),
            Self::TooShort { len } => write!(f, "the file has {len} bytes, too few for a region; give another name or path"),
            Self::TooLong { len } => write!(f, "the file has {len} bytes, and a region less than 2 GiB; give another name or path"),
            Self::NoSpace => f.write_str("the region's file has holes, and there is no space to fill them; free some"),
            Self::Attach(error) => error.fmt(f),
            Self::OtherNamespace => f.write_str(
                "the region belongs to another session or container; use one in Global or in a file",
            ),
            Self::TableFull => f.write_str(
                "every place for this domain in the region's participant table is taken by one that is not proven dead, or \
                 it has none; end one, plan for more, or open read-only",
            ),
            Self::Lock(error) => not_locked(f, error),
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
            Self::Contended => {
                f.write_str("the region is created and removed all the time; stop one of the two")
            }
        }
    }
}

impl core::error::Error for OpenOrCreateError {}

/// Why a region could not be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareError {
    /// The region is not sealed memory: it has a name or a file, and on Unix the receiver could cut it
    /// short under its users.
    NotSealed,
    /// This process is a forked child of the one that opened the region. Unix only.
    Forked,
    /// Handles may not be put into that process. Windows only.
    NotPermitted,
    /// The socket's other end is closed. Unix only.
    Closed,
    /// This system has no sealed memory. Unix other than Linux only.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl From<ShareFailed> for ShareError {
    fn from(failed: ShareFailed) -> Self {
        match failed {
            ShareFailed::NotSealed => Self::NotSealed,
            ShareFailed::NotPermitted => Self::NotPermitted,
            ShareFailed::Closed => Self::Closed,
            ShareFailed::Unsupported => Self::Unsupported,
            ShareFailed::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str(
                "only sealed regions can be shared; create it as one, or let the peer open it by its name or file",
            ),
            Self::Forked => f.write_str("the region was opened before a fork; share it from the process that opened it"),
            Self::NotPermitted => {
                f.write_str("this process may not put the region's handle into that one; open it with PROCESS_DUP_HANDLE")
            }
            Self::Closed => f.write_str("the socket's other end is closed; connect again"),
            Self::Unsupported => f.write_str(UNSUPPORTED),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ShareError {}

/// Why a sealed region could not be received. The descriptor or handle, if there is one, is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The socket's other end is closed, and nothing came. Unix only.
    Closed,
    /// On Unix: what came is not one descriptor with strait's mark beside it, or it is of no ordinary memory
    /// (memory in huge pages could be taken away in spite of its seals). On Windows: the handle is not of
    /// a section, or does not let this process write.
    NotARegion,
    /// The memory lacks a seal, so that the peer could cut it short. Unix only.
    Unsealed,
    /// The memory's length differs from that in its header. Unix only.
    WrongSize {
        /// The length in the header.
        header: u32,
        /// The memory's length.
        found: u32,
    },
    /// It could not be mapped or attached.
    Open(OpenError),
    /// This system has no sealed memory. Unix other than Linux only.
    Unsupported,
    /// Some other error of the system.
    Os(OsError),
}

impl From<ReceiveFailed> for ReceiveError {
    fn from(failed: ReceiveFailed) -> Self {
        match failed {
            ReceiveFailed::Closed => Self::Closed,
            ReceiveFailed::NotARegion => Self::NotARegion,
            ReceiveFailed::Unsealed => Self::Unsealed,
            ReceiveFailed::WrongSize { header, found } => Self::WrongSize { header, found },
            ReceiveFailed::Unsupported => Self::Unsupported,
            ReceiveFailed::Open(failed) => Self::Open(failed.into()),
            ReceiveFailed::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => {
                f.write_str("the socket's other end is closed, and no region came; connect again")
            }
            Self::NotARegion => {
                f.write_str("the peer sent no region, or one that cannot be written; check that peer")
            }
            Self::Unsealed => f.write_str("the memory that the peer sent is not sealed; refuse that peer"),
            Self::WrongSize { header, found } => {
                write!(
                    f,
                    "the region that the peer sent has {found} bytes, its header states {header}; refuse that peer"
                )
            }
            Self::Open(error) => error.fmt(f),
            Self::Unsupported => f.write_str(UNSUPPORTED),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReceiveError {}

const NAME_TAKEN: &str = "the name belongs to an object that is no region; take another name";
const UNSUPPORTED: &str = "this system has no sealed memory; use a region with a name";

fn not_locked(f: &mut fmt::Formatter<'_>, error: &OsError) -> fmt::Result {
    write!(f, "the region cannot be locked into memory ({error}); {LOCK_ADVICE}")
}
