//! Opening files with the peer's rights, so that the system judges what the peer may.
//!
//! A check of a file's mode against the peer's user would have to know about every directory on the way,
//! access lists, and what changes in between. So the thread takes on the peer's user, group and further
//! groups for its file accesses alone, which Linux lets root do, gives up its capabilities meanwhile, and the
//! kernel judges. A server that has the very same identity as its client changes its capabilities alone, if it
//! has any. Any other one is refused.
//!
//! A thread has one [`Impersonation`] at a time, which `strait-os` sees to: an inner one would give back rights
//! that the outer one has taken away.

use std::os::fd::BorrowedFd;

use strait_os_base::pipe::{ClientRights, ImpersonateFailure};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod capabilities;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as os;

/// The call that takes numbers of 32 bits.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(any(target_arch = "x86", target_arch = "arm"))
))]
const SET_GROUPS: nix::libc::c_long = nix::libc::SYS_setgroups;
#[cfg(all(any(target_os = "linux", target_os = "android"), any(target_arch = "x86", target_arch = "arm")))]
const SET_GROUPS: nix::libc::c_long = nix::libc::SYS_setgroups32;

/// The option of sockets that returns the peer's groups, which Android's C library does not name.
#[cfg(target_os = "linux")]
const PEER_GROUPS: nix::libc::c_int = nix::libc::SO_PEERGROUPS;
#[cfg(target_os = "android")]
const PEER_GROUPS: nix::libc::c_int = 59;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use fallback as os;

/// The client's rights on files, and what is needed to give them back; `None` when nothing had to be changed, or when
/// that is done.
#[derive(Debug)]
pub struct Rights(Option<os::Rights>);

/// While this lives, what this thread opens is opened with the client's rights.
pub type Impersonation = strait_os_base::pipe::Impersonation<Rights>;

/// Takes on the client's rights.
pub(super) fn begin(socket: BorrowedFd<'_>) -> Result<Impersonation, ImpersonateFailure> {
    os::take_on(socket).map(|own| strait_os_base::pipe::Impersonation(Rights(own)))
}

impl ClientRights for Rights {
    fn give_back(&mut self) -> bool {
        self.0.take().is_none_or(os::Rights::give_back)
    }
}
