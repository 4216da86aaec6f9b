//! Who is at the other end.

use core::fmt;

use nix::unistd::geteuid;

/// A user of this system: here a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User(u32);

impl User {
    /// The user that this process acts as.
    #[must_use]
    pub fn current() -> Self {
        Self(geteuid().as_raw())
    }

    /// The user of this id.
    #[must_use]
    pub const fn from_uid(uid: u32) -> Self {
        Self(uid)
    }

    /// The user that [`Display`](fmt::Display) wrote so: a number here, a SID on Windows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The user's id.
    #[must_use]
    pub const fn uid(&self) -> u32 {
        self.0
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who is at the other end of a pipe, as the system says.
///
/// It is who called `connect` or `listen`. Whoever has been handed that end since is not seen, and the
/// process may have ended, and its number be another's, by the time that this is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub(super) pid: Option<u32>,
    pub(super) user: Option<User>,
}

impl Peer {
    /// The process. `None` where the system does not say (FreeBSD, macOS) or the process cannot be seen
    /// from here (another PID namespace).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The user. Always known here; on Windows `None` if this process may not ask.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }
}
