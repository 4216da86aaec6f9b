//! Open-file-description locks on single bytes, by way of the kernel's 64-bit interface, which is
//! the same for 32-bit and 64-bit programs.

use core::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc;

use super::abi::{FCNTL, Lock};

/// Takes the exclusive lock on the byte at `offset`, without waiting. `EAGAIN` if another
/// description has it.
pub(super) fn lock(fd: impl AsFd, offset: u64) -> Result<(), Errno> {
    call(fd.as_fd(), libc::F_OFD_SETLK, libc::F_WRLCK, offset).map(drop)
}

/// Gives the lock on the byte at `offset` back, if this description has it.
pub(super) fn unlock(fd: impl AsFd, offset: u64) -> Result<(), Errno> {
    call(fd.as_fd(), libc::F_OFD_SETLK, libc::F_UNLCK, offset).map(drop)
}

/// Whether a description other than this one has the exclusive lock on the byte at `offset`. A shared one does
/// not count: whoever may only read the file can take that.
pub(super) fn is_locked(fd: impl AsFd, offset: u64) -> Result<bool, Errno> {
    let found = call(fd.as_fd(), libc::F_OFD_GETLK, libc::F_RDLCK, offset)?;
    Ok(found != libc::F_UNLCK)
}

fn call(fd: BorrowedFd<'_>, command: c_int, kind: c_int, offset: u64) -> Result<c_int, Errno> {
    // SAFETY: the struct is integers throughout, for which zeros are a value.
    let mut lock: Lock = unsafe { core::mem::zeroed() };
    lock.l_type = kind as _;
    lock.l_whence = libc::SEEK_SET as _;
    lock.l_start = offset as _;
    lock.l_len = 1;
    // SAFETY: the commands of this module read and write the one struct that the pointer names,
    // which lives until the call is over.
    let result = unsafe { libc::syscall(FCNTL, fd.as_raw_fd(), command, &raw mut lock) };
    Errno::result(result)?;
    Ok(c_int::from(lock.l_type))
}
