//! How pipes are served and connected to.

use super::cancel::Canceller;
use super::user::User;
use crate::error::OsError;
use crate::options::Sddl;
use crate::security::{Descriptor, Sid};

/// The most clients that one listener can serve at once: two instances less than the system's most, for
/// each listener has a further one for the client that comes next.
pub(super) const MOST_INSTANCES: u32 = 253;

/// What a client needs: to read, to write, their attributes (to set the mode), to see who the owner is, and to
/// wait. Generic rights to write would hold the right to make instances too, which is the server's.
pub(super) const CLIENT_RIGHTS: u32 = 0x0012_019B;

/// How pipes are served and connected to. The default is for one user: a server lets in its own user's
/// processes alone, a client accepts a server of its own user alone.
#[derive(Clone, Debug)]
pub struct PipeOptions {
    pub(super) instances: u32,
    pub(super) public: bool,
    pub(super) served_by: Option<User>,
    pub(super) may_impersonate: bool,
    pub(super) remote: bool,
    pub(super) sddl: Option<Sddl>,
    pub(super) canceller: Option<Canceller>,
}

impl PipeOptions {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            instances: MOST_INSTANCES,
            public: false,
            served_by: None,
            may_impersonate: false,
            remote: false,
            sddl: None,
            canceller: None,
        }
    }

    /// For a server: how many clients it serves at once, 1 to 253. Further ones are not accepted before
    /// one of the pipes is dropped.
    #[must_use]
    pub const fn instances(mut self, most: u32) -> Self {
        self.instances = most;
        self
    }

    /// For a server: lets every user of this machine in. Look at [`peer`](super::Pipe::peer) then, or
    /// [impersonate](super::Pipe::impersonate). For a client: looks for such a server, which here is the
    /// same.
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

    /// For a client: lets the server act with this process's rights. Unless set, it can see who the client
    /// is, and no more.
    #[must_use]
    pub const fn may_impersonate(mut self, on: bool) -> Self {
        self.may_impersonate = on;
        self
    }

    /// For a server: accepts clients of other machines.
    #[must_use]
    pub const fn remote(mut self, on: bool) -> Self {
        self.remote = on;
        self
    }

    /// For a server: exactly this security descriptor, in the place of [`public`](Self::public). Who is to
    /// connect needs the rights 0x12019B. Only on Windows.
    #[must_use]
    pub const fn sddl(mut self, sddl: Sddl) -> Self {
        self.sddl = Some(sddl);
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

    /// Whom a server lets in.
    pub(super) fn descriptor(&self) -> Result<Descriptor, OsError> {
        match &self.sddl {
            Some(sddl) => Descriptor::parse(sddl.text()),
            None => Descriptor::parse(&access(&Sid::own()?.to_string(), self.public)),
        }
    }
}

impl Default for PipeOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The owner may do all; the public, if it is let in, what a client does.
fn access(owner: &str, public: bool) -> String {
    let others = if public { format!("(A;;0x{CLIENT_RIGHTS:X};;;AU)") } else { String::new() };
    format!("O:{owner}D:P(A;;GA;;;{owner}){others}")
}

#[cfg(test)]
mod tests {
    use super::{CLIENT_RIGHTS, PipeOptions, access};
    use windows_sys::Win32::Storage::FileSystem::{
        FILE_APPEND_DATA, FILE_READ_DATA, FILE_WRITE_DATA, SYNCHRONIZE,
    };

    #[test]
    fn only_the_owner_is_let_in_unless_asked_otherwise() {
        assert_eq!(access("S-1-5-18", false), "O:S-1-5-18D:P(A;;GA;;;S-1-5-18)");
        assert_eq!(access("S-1-5-18", true), "O:S-1-5-18D:P(A;;GA;;;S-1-5-18)(A;;0x12019B;;;AU)");
        assert!(
            PipeOptions::new().descriptor().is_ok() && PipeOptions::new().public(true).descriptor().is_ok()
        );
    }

    #[test]
    fn a_client_cannot_make_an_instance() {
        // FILE_APPEND_DATA is FILE_CREATE_PIPE_INSTANCE, where the file is a pipe.
        assert_eq!(CLIENT_RIGHTS & FILE_APPEND_DATA, 0);
        let needed = FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE;
        assert_eq!(CLIENT_RIGHTS & needed, needed);
    }
}
