//! How pipes are served and connected to.

use super::cancel::Canceller;
use super::user::User;

/// The most clients that one listener can serve at once.
pub(super) const MOST_INSTANCES: u32 = 253;

/// How pipes are served and connected to. The default is for one user: a server lets in its own user's
/// processes alone, a client accepts a server of its own user alone.
#[derive(Clone, Debug)]
pub struct PipeOptions {
    pub(super) instances: u32,
    pub(super) public: bool,
    pub(super) served_by: Option<User>,
    pub(super) canceller: Option<Canceller>,
}

impl PipeOptions {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self { instances: MOST_INSTANCES, public: false, served_by: None, canceller: None }
    }

    /// For a server: how many clients it serves at once, 1 to 253. Further ones are not accepted before
    /// one of the pipes is dropped.
    #[must_use]
    pub const fn instances(mut self, most: u32) -> Self {
        self.instances = most;
        self
    }

    /// For a server: lets every user of this machine in. Look at [`peer`](super::Pipe::peer) then, or
    /// [impersonate](super::Pipe::impersonate). For a client: looks for such a server.
    #[must_use]
    pub const fn public(mut self, on: bool) -> Self {
        self.public = on;
        self
    }

    /// For a client: the server must be this user. The client's own unless set.
    #[must_use]
    pub fn served_by(mut self, user: &User) -> Self {
        self.served_by = Some(user.clone());
        self
    }

    /// For a client: lets the server act with this process's rights, where that is the client's to give
    /// (Windows). Here the system decides: root may act as anybody, and no one else may.
    #[must_use]
    pub const fn may_impersonate(self, on: bool) -> Self {
        let _ = on;
        self
    }

    /// For a server: accepts clients of other machines, where pipes reach so far (Windows). Here they
    /// do not.
    #[must_use]
    pub const fn remote(self, on: bool) -> Self {
        let _ = on;
        self
    }

    /// What can cancel the connecting, and the waits on the listener or pipe that comes of it.
    #[must_use]
    pub fn canceller(mut self, canceller: &Canceller) -> Self {
        self.canceller = Some(canceller.clone());
        self
    }

    /// Who has to serve.
    pub(super) fn server(&self) -> User {
        self.served_by.clone().unwrap_or_else(User::current)
    }
}

impl Default for PipeOptions {
    fn default() -> Self {
        Self::new()
    }
}
