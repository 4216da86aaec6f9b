//! One thread's rights on files, on Linux.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc::{self, gid_t, uid_t};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Gid, Uid, geteuid, getgroups, setfsgid, setfsuid};
use strait_os_base::OsError;
use strait_os_base::pipe::ImpersonateFailure;

use super::capabilities::Capabilities;

/// The most further groups that a process can have.
const MOST_GROUPS: usize = 65_536;

/// The kernel's `SECBIT_NO_SETUID_FIXUP`.
const NO_SETUID_FIXUP: libc::c_int = 1 << 2;

/// A thread's identity to the file system. The groups are sorted.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    uid: uid_t,
    gid: gid_t,
    groups: Vec<gid_t>,
}

/// A thread's rights on files.
#[derive(Debug)]
pub(super) struct Rights {
    identity: Identity,
    capabilities: Capabilities,
}

/// Takes on the client's rights, for files alone: the effective user stays root, which is what lets the thread
/// come back. Unless the client is root, the thread's capabilities go too: with its number root loses its power
/// over the modes of files alone, and any other capability that the server has, root or not, could let the
/// client in where the kernel would refuse it. Returns this thread's own rights, if anything changed.
pub(super) fn take_on(socket: BorrowedFd<'_>) -> Result<Option<Rights>, ImpersonateFailure> {
    let failed = |call| move |error| ImpersonateFailure::Os(OsError::new(call, error as i32));
    let theirs = Identity::of_peer(socket).map_err(failed("getsockopt"))?;
    let identity = Identity::of_this_thread().map_err(failed("getgroups"))?;
    let capabilities = Capabilities::of_this_thread().map_err(failed("capget"))?;
    let own = Rights { identity, capabilities };
    let keeps = theirs.uid == 0 || own.capabilities.is_powerless();
    if theirs == own.identity && keeps {
        return Ok(None);
    }
    if theirs != own.identity && (!geteuid().is_root() || keeps_its_capabilities()) {
        return Err(ImpersonateFailure::NotPermitted);
    }
    // The capabilities last: without them the other calls are refused.
    if theirs.apply() && (keeps || own.capabilities.without_power().apply().is_ok()) {
        return Ok(Some(own));
    }
    if !own.give_back() {
        eprintln!("strait: this thread could not be given its own rights back; aborting");
        std::process::abort();
    }
    Err(ImpersonateFailure::NotPermitted)
}

impl Rights {
    /// Makes them this thread's again. False if not all of it could be done.
    pub(super) fn give_back(self) -> bool {
        // First, for what the other calls need; and last, because the kernel adds root's power over files when
        // its number comes back, whether the thread had that or not.
        self.capabilities.apply().is_ok() && self.identity.apply() && self.capabilities.apply().is_ok()
    }
}

impl Identity {
    /// As it is now, which is not the effective user's if this thread acts as another already.
    fn of_this_thread() -> Result<Self, Errno> {
        // No user and no group has this number, so the calls change nothing, and return what is.
        let uid = setfsuid(Uid::from_raw(uid_t::MAX)).as_raw();
        let gid = setfsgid(Gid::from_raw(gid_t::MAX)).as_raw();
        let groups = getgroups()?.into_iter().map(Gid::as_raw).collect();
        Ok(Self { uid, gid, groups: sorted(groups) })
    }

    fn of_peer(socket: BorrowedFd<'_>) -> Result<Self, Errno> {
        let found = getsockopt(&socket, sockopt::PeerCredentials)?;
        Ok(Self { uid: found.uid(), gid: found.gid(), groups: sorted(peer_groups(socket)?) })
    }

    /// Makes it this thread's, as far as it is not. False if not all of it could be done.
    fn apply(&self) -> bool {
        if Self::of_this_thread().is_ok_and(|own| own == *self) {
            return true;
        }
        set_groups(&self.groups).is_ok() && set_fsgid(self.gid) && set_fsuid(self.uid)
    }
}

/// Whether this thread would keep root's power over all files without root's number: then the kernel would
/// not judge as for the client.
fn keeps_its_capabilities() -> bool {
    // SAFETY: the call takes and returns numbers.
    let bits = unsafe { libc::prctl(libc::PR_GET_SECUREBITS) };
    bits < 0 || bits & NO_SETUID_FIXUP != 0
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
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, super::PEER_GROUPS, into, &raw mut len) };
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
