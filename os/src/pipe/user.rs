//! Users, and the identity of a peer.

use core::fmt;

use crate::{Owner, sys};

/// A user of this system: a number on Unix, a security identifier on Windows. The traits `UserExt` of
/// `strait_os::unix` and `strait_os::windows` make one of the other.
///
/// # Examples
///
/// ```
/// use strait_os::pipe::User;
///
/// let user = User::current();
/// assert_eq!(User::parse(&user.to_string()), Some(user));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User(pub(crate) Owner);

impl User {
    /// The user that this process acts as.
    #[must_use]
    pub fn current() -> Self {
        Self(sys::pipe::user::current())
    }

    /// The user that [`Display`](fmt::Display) wrote so: a number on Unix, a SID on Windows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        sys::pipe::user::parse(text).map(Self)
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The process and user at the other end of a pipe, as the system reports them.
///
/// It is the process that connected, or that served (on Unix called `listen`, on Windows made this instance).
/// A process that was handed that end later is not seen. The process may have ended, and its number be
/// another's, by the time that this is looked at. On Windows the user is that of the process with this number, so
/// where that must not be fooled, [impersonate](super::Pipe::impersonate) and ask `ImpersonationExt::user` of
/// `strait_os::windows`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    pid: Option<u32>,
    user: Option<User>,
}

impl PeerIdentity {
    pub(super) fn new((pid, user): (Option<u32>, Option<Owner>)) -> Self {
        Self { pid, user: user.map(User) }
    }

    /// The process. `None` where the system does not say (FreeBSD, macOS) or the process cannot be seen
    /// from here (another PID namespace).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The user. Always known on Unix; on Windows `None` if this process may not ask, or if the other one has
    /// ended.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }
}
