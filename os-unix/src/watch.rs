//! Processes at the other end of a socket, and whether they have ended.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};
use strait_os_base::OsError;

use crate::fd;

/// The process that connected a socket.
#[derive(Debug)]
pub struct Connected {
    process: OwnedFd,
    socket: OwnedFd,
}

/// Whose a socket's other end is.
#[derive(Debug)]
pub enum Peer {
    /// This very process.
    Us,
    /// A process that cannot be watched: it has ended, or is in another PID namespace.
    Nobody,
    /// Another one.
    Other(Connected),
}

/// Looks at the other end.
pub fn peer_of(socket: BorrowedFd<'_>) -> Result<Peer, OsError> {
    let who = getsockopt(&socket, sockopt::PeerCredentials)
        .map_err(|error| OsError::new("getsockopt(SO_PEERCRED)", error as i32))?;
    if u32::try_from(who.pid()) == Ok(std::process::id()) {
        return Ok(Peer::Us);
    }
    let kept = |fd: OwnedFd| fd::keep(fd).map_err(|error| OsError::io("dup", &error));
    let process = match process_of(socket, who.pid()) {
        Ok(process) => kept(process)?,
        Err(Errno::ESRCH | Errno::EINVAL | Errno::ENODATA) => return Ok(Peer::Nobody),
        Err(error) => return Err(OsError::new("pidfd_open", error as i32)),
    };
    let socket = kept(socket.try_clone_to_owned().map_err(|error| OsError::io("dup", &error))?)?;
    let found = Connected { process, socket };
    // By its number alone it might be a later process; but the one that connected has not ended if its socket has not.
    if shows(&found.socket, PollFlags::POLLHUP) { Ok(Peer::Nobody) } else { Ok(Peer::Other(found)) }
}

/// The process as a descriptor: by the socket from Linux 6.5 on, by its number before.
fn process_of(socket: BorrowedFd<'_>, pid: libc::pid_t) -> Result<OwnedFd, Errno> {
    let mut fd: RawFd = -1;
    let mut len = size_of::<RawFd>() as libc::socklen_t;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERPIDFD);
    let into = (&raw mut fd).cast();
    // SAFETY: the call writes a number of that length, and no more.
    let asked = unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, into, &raw mut len) };
    match Errno::result(asked) {
        Ok(_) => {}
        Err(Errno::ENOPROTOOPT) => {
            // SAFETY: the call takes numbers.
            let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
            fd = Errno::result(opened)? as RawFd;
        }
        Err(error) => return Err(error),
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Connected {
    /// Whether the process has ended, with all its threads, and nobody holds its end of the socket any more. The kernel
    /// has taken its memory from it then: it does that before it closes files, and before it says that the process has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        shows(&self.process, PollFlags::POLLIN) && shows(&self.socket, PollFlags::POLLHUP)
    }
}

/// Whether this is so of the descriptor: it is readable, as a process is that has ended, or its other end is closed.
/// `false` also where the system does not say.
fn shows(of: &OwnedFd, asked: PollFlags) -> bool {
    let mut polled = [PollFd::new(of.as_fd(), asked)];
    poll(&mut polled, PollTimeout::ZERO) == Ok(1)
        && polled[0].revents().is_some_and(|found| found.intersects(asked))
}
