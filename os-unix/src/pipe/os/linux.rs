//! Linux.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType, getsockopt, sockopt};
use strait_os_base::OsError;

use crate::file::os::named_dir;
use crate::options::Owner;

/// The directory that holds the directories of pipes: where named regions meet too, so that a process that sees
/// the one sees the other.
pub(in crate::pipe) fn base() -> Result<PathBuf, OsError> {
    named_dir()
}

/// Sends without a signal when the peer has ended.
pub(in crate::pipe) const QUIET: MsgFlags = MsgFlags::MSG_NOSIGNAL;

/// A socket that does not block and does not survive an `exec`.
pub(in crate::pipe) fn socket(kind: SockType) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket::socket(AddressFamily::Unix, kind, flags, None)
}

/// The process and user at the other end.
pub(in crate::pipe) fn peer(fd: BorrowedFd<'_>) -> Result<(Option<u32>, Owner), Errno> {
    let found = getsockopt(&fd, sockopt::PeerCredentials)?;
    // 0: a process that has no number in this namespace.
    let pid = u32::try_from(found.pid()).ok().filter(|&pid| pid > 0);
    Ok((pid, found.uid()))
}
