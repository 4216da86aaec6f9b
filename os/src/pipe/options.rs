//! How pipes are served and connected to.

use super::cancel::{Cancel, Canceller};
use super::user::User;
use crate::sys;

/// The most clients that one listener can serve at once: two instances less than Windows' most, as each listener
/// has a further one for the client that comes next.
pub(super) const MOST_INSTANCES: u32 = 253;

/// How pipes are served and connected to. The default is for one user: a server lets in its own user's
/// processes alone, a client accepts a server of its own user alone.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_os::pipe::{Canceller, Pipe, PipeListener, PipeName, PipeOptions, User};
///
/// const LIMIT: Duration = Duration::from_secs(10);
/// # let name = &format!("doc-pipe-options-{}", std::process::id());
/// let name = PipeName::new(name)?;
/// // The server takes two clients at a time, of any user of this machine.
/// let serve = PipeOptions::new().instances(2).public(true);
/// let mut listener = PipeListener::bind(&name, &serve)?;
/// // The client looks for a public server, accepts this user's alone, and can be cancelled.
/// let canceller = Canceller::new()?;
/// let connect = PipeOptions::new().public(true).served_by(&User::current()).canceller(&canceller);
/// let client = std::thread::spawn(move || Pipe::connect_timeout(&name, &connect, LIMIT));
/// let pipe = listener.accept_timeout(LIMIT)?;
/// assert_eq!(pipe.peer()?.user(), Some(&User::current()));
/// # client.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PipeOptions {
    pub(super) instances: u32,
    served_by: Option<User>,
    pub(super) cancel: Cancel,
    pub(crate) system: sys::pipe::Options,
}

impl PipeOptions {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            instances: MOST_INSTANCES,
            served_by: None,
            cancel: Cancel::NONE,
            system: sys::pipe::Options::new(),
        }
    }

    /// For a server: how many clients it serves at once, 1 to 253. Further ones are not accepted before
    /// one of the pipes is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_os::pipe::{BindError, PipeListener, PipeName, PipeOptions};
    ///
    /// # let name = &format!("doc-instances-{}", std::process::id());
    /// let name = PipeName::new(name)?;
    /// let none = PipeListener::bind(&name, &PipeOptions::new().instances(0));
    /// assert_eq!(none.map(drop), Err(BindError::Instances { asked: 0 }));
    /// assert!(PipeListener::bind(&name, &PipeOptions::new().instances(1)).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn instances(mut self, most: u32) -> Self {
        self.instances = most;
        self
    }

    /// For a server: lets every user of this machine in. Look at [`peer`](super::Pipe::peer) then, or
    /// [impersonate](super::Pipe::impersonate). For a client: looks for such a server, which on Windows is no
    /// other than a private one.
    #[must_use]
    pub const fn public(mut self, on: bool) -> Self {
        self.system.public = on;
        self
    }

    /// For a client: the server must be this user. The client's own unless set.
    #[must_use]
    pub fn served_by(mut self, user: &User) -> Self {
        self.served_by = Some(user.clone());
        self
    }

    /// For a client: lets the server act with this process's rights. Unless set, the server sees which user the
    /// client is, and no more.
    ///
    /// Without effect on Unix, where that is not the client's to allow: root may act as anybody, and no one else
    /// may.
    #[must_use]
    pub const fn may_impersonate(mut self, on: bool) -> Self {
        self.system.may_impersonate = on;
        self
    }

    /// For a server: accepts clients of other machines. Without effect on Unix, whose pipes do not reach so far.
    #[must_use]
    pub const fn remote(mut self, on: bool) -> Self {
        self.system.remote = on;
        self
    }

    /// The canceller of the connecting, and of the waits on the resulting listener or pipe.
    #[must_use]
    pub fn canceller(mut self, canceller: &Canceller) -> Self {
        self.cancel = Cancel::by(Some(canceller));
        self
    }

    /// The user that must serve.
    pub(super) fn server(&self) -> User {
        self.served_by.clone().unwrap_or_else(User::current)
    }
}

impl Default for PipeOptions {
    fn default() -> Self {
        Self::new()
    }
}
