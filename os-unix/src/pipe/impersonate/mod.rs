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

use core::marker::PhantomData;
use std::os::fd::BorrowedFd;

#[cfg(target_os = "linux")]
mod capabilities;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as os;

/// The call that takes numbers of 32 bits.
#[cfg(all(target_os = "linux", not(any(target_arch = "x86", target_arch = "arm"))))]
const SET_GROUPS: nix::libc::c_long = nix::libc::SYS_setgroups;
#[cfg(all(target_os = "linux", any(target_arch = "x86", target_arch = "arm")))]
const SET_GROUPS: nix::libc::c_long = nix::libc::SYS_setgroups32;

#[cfg(not(target_os = "linux"))]
mod fallback;
#[cfg(not(target_os = "linux"))]
use fallback as os;

use crate::pipe::error::ImpersonateFailure;

/// While this lives, what this thread opens is opened with the client's rights. Dropping it gives the thread its
/// own rights back, or aborts.
#[derive(Debug)]
#[must_use = "the client's rights are given back when this is dropped"]
pub struct Impersonation<'pipe> {
    own: Option<os::Rights>,
    /// The rights are those of one thread.
    _thread: PhantomData<(&'pipe (), *const ())>,
}

impl Impersonation<'_> {
    pub(super) fn begin(socket: BorrowedFd<'_>) -> Result<Self, ImpersonateFailure> {
        os::take_on(socket).map(|own| Self { own, _thread: PhantomData })
    }
}

impl Drop for Impersonation<'_> {
    fn drop(&mut self) {
        if self.own.take().is_some_and(|own| !own.give_back()) {
            eprintln!("strait: this thread could not be given its own rights back; aborting");
            std::process::abort();
        }
    }
}
