//! Making memory files, sealing them, and refusing those of others that are not sealed.
//!
//! A sealed file of ordinary memory can neither shrink nor grow, so an access within its length never raises
//! `SIGBUS`, whatever the peer that made it does. Memory in huge pages could: a peer may take a page back, and
//! the pool may have no other.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use strait_os_base::{OsError, ShareFailed};

use super::pass;
use crate::failed::{CreateFailed, OpenFailed, ReceiveFailed};
use crate::fd;
use crate::file::draft::{reserve, set_mode};
use crate::liveness;

const NEEDED: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW).union(SealFlag::F_SEAL_SEAL);

/// A memory file of `len` zeros, not sealed yet.
pub(crate) fn create(mode: u32, len: u32) -> Result<File, CreateFailed> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let not_executable = flags | MFdFlags::from_bits_retain(libc::MFD_NOEXEC_SEAL);
    let created = match memfd_create("strait", not_executable) {
        Err(Errno::EINVAL) => memfd_create("strait", flags), // Older than Linux 6.3.
        other => other,
    };
    let file = File::from(created.map_err(|error| OsError::new("memfd_create", error as i32))?);
    let file = fd::keep(file).map_err(|error| OsError::io("dup", &error))?;
    set_mode(&file, mode)?;
    reserve(&file, len)?;
    Ok(file)
}

/// Fixes the file's length for ever.
pub(crate) fn seal(file: &File) -> Result<(), OsError> {
    fcntl(file, FcntlArg::F_ADD_SEALS(NEEDED))
        .map(drop)
        .map_err(|error| OsError::new("fcntl(F_ADD_SEALS)", error as i32))
}

/// Whether the file's length is fixed for ever.
pub(crate) fn is_sealed(file: &File) -> bool {
    fcntl(file, FcntlArg::F_GET_SEALS).is_ok_and(|seals| SealFlag::from_bits_retain(seals).contains(NEEDED))
}

/// Whether the file can never be cut short.
pub(crate) fn is_kept_long(file: &File) -> bool {
    let shrink = SealFlag::F_SEAL_SHRINK;
    fcntl(file, FcntlArg::F_GET_SEALS).is_ok_and(|seals| SealFlag::from_bits_retain(seals).contains(shrink))
}

/// Sends the file, as a description that shares nothing with ours.
pub(crate) fn share(socket: BorrowedFd<'_>, file: &File) -> Result<(), ShareFailed> {
    if !is_sealed(file) {
        return Err(ShareFailed::NotSealed);
    }
    let copy = liveness::another(file, None).map_err(ShareFailed::Os)?;
    pass::send(socket, copy.as_fd())
}

/// Receives a file and checks its seals and its length. Answers with a description of our own.
pub(crate) fn accept(socket: BorrowedFd<'_>) -> Result<(File, u32), ReceiveFailed> {
    let sent = File::from(pass::receive(socket)?);
    check(&sent)?;
    let own = liveness::another(&sent, None)?;
    // Seals never go away, and it is the same file: what was checked stays true.
    let len = check(&own)?;
    Ok((own, len))
}

fn check(file: &File) -> Result<u32, ReceiveFailed> {
    let found = file.metadata().map_err(|error| OsError::io("fstat", &error))?;
    if !found.is_file() {
        return Err(ReceiveFailed::NotARegion);
    }
    if !is_sealed(file) {
        return Err(ReceiveFailed::Unsealed);
    }
    // Seals are those of memory in huge pages too, which can run out behind a hole that no seal forbids.
    let kind = fstatfs(file).map_err(|error| OsError::new("fstatfs", error as i32))?;
    if kind.filesystem_type() != TMPFS_MAGIC {
        return Err(ReceiveFailed::NotARegion);
    }
    OpenFailed::check_len(found.len()).map_err(|error: OpenFailed| ReceiveFailed::Open(error))
}
