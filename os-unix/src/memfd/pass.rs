//! One descriptor over a Unix socket, with a mark beside it.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, RecvMsg, recvmsg, sendmsg};
use strait_os_base::{OsError, ShareFailed};

use crate::failed::ReceiveFailed;

/// The bytes sent beside the descriptor.
const MARK: [u8; 8] = *b"strait/0";

/// The most descriptors that one message can carry: none is ever cut off, and so none is lost
/// without being closed.
const MOST: usize = 253;

/// Sends a descriptor; its receiver shares the open file description.
pub(super) fn send(socket: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> Result<(), ShareFailed> {
    let data = [IoSlice::new(&MARK)];
    let fds = [fd.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&fds)];
    loop {
        let flags = MsgFlags::MSG_NOSIGNAL;
        match sendmsg::<()>(socket.as_raw_fd(), &data, &rights, flags, None) {
            Ok(sent) if sent == MARK.len() => return Ok(()),
            Ok(_) => return Err(ShareFailed::Os(OsError::new("sendmsg", Errno::EMSGSIZE as i32))),
            Err(Errno::EINTR) => {}
            Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(ShareFailed::Closed),
            Err(error) => return Err(ShareFailed::Os(OsError::new("sendmsg", error as i32))),
        }
    }
}

/// Receives a descriptor, marked close-on-exec. Any others that came are closed.
pub(super) fn receive(socket: BorrowedFd<'_>) -> Result<OwnedFd, ReceiveFailed> {
    let mut mark = [0; MARK.len()];
    let mut space = nix::cmsg_space!([RawFd; MOST], nix::libc::ucred);
    let (len, mut fds) = loop {
        let mut data = [IoSliceMut::new(&mut mark)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        match recvmsg::<()>(socket.as_raw_fd(), &mut data, Some(&mut space), flags) {
            Ok(message) => break (message.bytes, owned(&message)?),
            Err(Errno::EINTR) => {}
            Err(Errno::ECONNRESET) => return Err(ReceiveFailed::Closed),
            Err(error) => return Err(ReceiveFailed::Os(OsError::new("recvmsg", error as i32))),
        }
    };
    if len == 0 && fds.is_empty() {
        return Err(ReceiveFailed::Closed);
    }
    match fds.pop() {
        Some(fd) if fds.is_empty() && len == MARK.len() && mark == MARK => Ok(fd),
        _ => Err(ReceiveFailed::NotARegion),
    }
}

fn owned(message: &RecvMsg<'_, '_, ()>) -> Result<Vec<OwnedFd>, ReceiveFailed> {
    let mut fds = Vec::new();
    for part in message.cmsgs().map_err(|error| OsError::new("recvmsg", error as i32))? {
        if let ControlMessageOwned::ScmRights(raw) = part {
            // SAFETY: the kernel has just made these descriptors for us, and nobody else knows
            // them; each is taken once.
            fds.extend(raw.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    Ok(fds)
}
