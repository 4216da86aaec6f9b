//! Descriptors that are kept are none of the three standard ones.
//!
//! A program that has closed its standard streams gets their numbers for what it opens next, and what any part
//! of it then prints would go there: over a region's header, or to a peer as its next message. Rust programs
//! start with all three open, C programs and daemons need not. Between the opening and the moving there is an
//! instant in which another thread's print still goes there; the system has no way to open from a number on.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;

/// The least number of a descriptor that is kept.
const FIRST: RawFd = 3;

/// The same description, under a number that no standard stream has.
pub(crate) fn keep<T: Into<OwnedFd> + From<OwnedFd>>(opened: T) -> io::Result<T> {
    let fd: OwnedFd = opened.into();
    if fd.as_raw_fd() >= FIRST {
        return Ok(fd.into());
    }
    // SAFETY: the call takes numbers, of which the first is an open descriptor's.
    let moved = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST) };
    let moved = Errno::result(moved)?;
    // SAFETY: the call made the descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(moved) }.into())
}
