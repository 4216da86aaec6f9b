//! One thread's rights on files, on Linux.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::pipe::error::ImpersonateFailure;
use nix::errno::Errno;
use nix::libc::{self, gid_t, uid_t};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Gid, Uid, getegid, geteuid, getgroups, setfsgid, setfsuid};

use crate::error::{FromCall as _, OsError};

/// The most further groups that a process can have.
const MOST_GROUPS: usize = 65_536;

/// A thread's identity to the file system. The groups are sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rights {
    uid: uid_t,
    gid: gid_t,
    groups: Vec<gid_t>,
}

/// Takes on the client's rights, for files alone: the effective user stays root, which is what lets the thread
/// come back. Root's power over all files goes with its number, and comes back with it. Returns this
/// thread's own, if they differ.
pub(super) fn take_on(socket: BorrowedFd<'_>) -> Result<Option<Rights>, ImpersonateFailure> {
    let failed = |call| move |error| ImpersonateFailure::Os(OsError::nix(call, error));
    let theirs = Rights::of_peer(socket).map_err(failed("getsockopt"))?;
    let own = Rights::of_this_thread().map_err(failed("getgroups"))?;
    if theirs == own {
        return Ok(None);
    }
    if own.uid != 0 || keeps_its_capabilities() || set_groups(&theirs.groups).is_err() {
        return Err(ImpersonateFailure::NotPermitted);
    }
    if set_fsgid(theirs.gid) && set_fsuid(theirs.uid) {
        return Ok(Some(own));
    }
    if !own.apply() {
        eprintln!("strait: this thread could not be given its own rights back; aborting");
        std::process::abort();
    }
    Err(ImpersonateFailure::NotPermitted)
}

impl Rights {
    fn of_this_thread() -> Result<Self, Errno> {
        let groups = getgroups()?.into_iter().map(Gid::as_raw).collect();
        Ok(Self { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups: sorted(groups) })
    }

    fn of_peer(socket: BorrowedFd<'_>) -> Result<Self, Errno> {
        let found = getsockopt(&socket, sockopt::PeerCredentials)?;
        Ok(Self { uid: found.uid(), gid: found.gid(), groups: sorted(peer_groups(socket)?) })
    }

    /// Makes them this thread's again. False if not all of it could be done.
    fn apply(&self) -> bool {
        set_groups(&self.groups).is_ok() && set_fsgid(self.gid) && set_fsuid(self.uid)
    }

    pub(super) fn give_back(self) -> bool {
        self.apply()
    }
}

/// Whether this thread would keep root's power over all files without root's number: then the kernel would
/// not judge as for the client.
fn keeps_its_capabilities() -> bool {
    // SAFETY: the call takes and returns numbers.
    let bits = unsafe { libc::prctl(libc::PR_GET_SECUREBITS) };
    bits < 0 || bits & libc::SECBIT_NO_SETUID_FIXUP != 0
}

fn sorted(mut groups: Vec<gid_t>) -> Vec<gid_t> {
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The further groups that the peer had when it connected.
fn peer_groups(socket: BorrowedFd<'_>) -> Result<Vec<gid_t>, Errno> {
    let mut groups: Vec<gid_t> = vec![0; MOST_GROUPS];
    let mut len = size_of_val(groups.as_slice()) as libc::socklen_t;
    let (fd, into) = (socket.as_raw_fd(), groups.as_mut_ptr().cast());
    // SAFETY: the kernel writes `len` bytes at most, which is how long the vector is.
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERGROUPS, into, &raw mut len) };
    Errno::result(result)?;
    groups.truncate(len as usize / size_of::<gid_t>());
    Ok(groups)
}

/// This thread's groups: the C library's function would change those of all threads.
fn set_groups(groups: &[gid_t]) -> Result<(), Errno> {
    // SAFETY: the kernel reads as many numbers as the slice has.
    let result = unsafe { libc::syscall(super::SET_GROUPS, groups.len(), groups.as_ptr()) };
    Errno::result(result).map(drop)
}

/// The call returns the number before, and never an error: so it is asked again.
fn set_fsuid(uid: uid_t) -> bool {
    setfsuid(Uid::from_raw(uid));
    setfsuid(Uid::from_raw(uid)).as_raw() == uid
}

fn set_fsgid(gid: gid_t) -> bool {
    setfsgid(Gid::from_raw(gid));
    setfsgid(Gid::from_raw(gid)).as_raw() == gid
}
