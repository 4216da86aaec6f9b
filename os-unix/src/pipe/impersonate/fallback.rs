//! Only the same user: there is no way to act as another in one thread alone.

use std::os::fd::BorrowedFd;

use nix::unistd::{getegid, geteuid, getpeereid};
use strait_os_base::OsError;
use strait_os_base::pipe::ImpersonateFailure;

/// There are none to give back.
#[derive(Debug)]
pub(super) struct Rights;

impl Rights {
    pub(super) fn give_back(self) -> bool {
        true
    }
}

/// Further groups are not known here, so a server whose user and group are the client's is taken for one
/// with the same rights.
pub(super) fn take_on(socket: BorrowedFd<'_>) -> Result<Option<Rights>, ImpersonateFailure> {
    let found = getpeereid(socket)
        .map_err(|error| ImpersonateFailure::Os(OsError::new("getpeereid", error as i32)))?;
    if found == (geteuid(), getegid()) { Ok(None) } else { Err(ImpersonateFailure::Unsupported) }
}
