//! macOS and FreeBSD.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::libc;
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType};
use nix::unistd::getpeereid;
use strait_os_base::OsError;

use crate::options::Owner;

/// The directory that holds the directories of pipes.
pub(in crate::pipe) fn base() -> Result<PathBuf, OsError> {
    Ok(PathBuf::from("/tmp"))
}

/// Nothing: the socket itself is told to be quiet.
pub(in crate::pipe) const QUIET: MsgFlags = MsgFlags::empty();

/// A socket that does not block, does not survive an `exec`, and raises no signal when the peer has ended.
pub(in crate::pipe) fn socket(kind: SockType) -> Result<OwnedFd, Errno> {
    let socket = socket::socket(AddressFamily::Unix, kind, SockFlag::empty(), None)?;
    fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    fcntl(&socket, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    quiet(&socket)?;
    Ok(socket)
}

fn quiet(socket: &OwnedFd) -> Result<(), Errno> {
    let on: libc::c_int = 1;
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    let fd = socket.as_raw_fd();
    // SAFETY: the value is a local of the length given.
    let result =
        unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_NOSIGPIPE, (&raw const on).cast(), len) };
    Errno::result(result).map(drop)
}

/// The process, which is not known here, and the user at the other end.
pub(in crate::pipe) fn peer(fd: BorrowedFd<'_>) -> Result<(Option<u32>, Owner), Errno> {
    let (uid, _) = getpeereid(fd)?;
    Ok((None, uid.as_raw()))
}
