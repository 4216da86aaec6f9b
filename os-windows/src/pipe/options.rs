//! Whom a server lets in, and what a client needs.

use strait_os_base::OsError;

use crate::security::{Descriptor, Sid};

/// The rights that a client needs: to read, to write, their attributes (to set the mode), to see the owner, and to
/// wait. Generic rights to write would hold the right to make instances too, which is the server's.
pub(super) const CLIENT_RIGHTS: u32 = 0x0012_019B;

/// The part of the options that the system needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server lets every user in.
    pub public: bool,
    /// The server accepts clients of other machines.
    pub remote: bool,
    /// The client lets the server act as it.
    pub may_impersonate: bool,
    /// The server's security descriptor, in the system's own language, instead of `public`.
    pub sddl: Option<String>,
}

impl Options {
    /// The default: this user alone.
    #[must_use]
    pub const fn new() -> Self {
        Self { public: false, remote: false, may_impersonate: false, sddl: None }
    }

    /// Whom a server lets in.
    pub(super) fn descriptor(&self) -> Result<Descriptor, OsError> {
        match &self.sddl {
            Some(sddl) => Descriptor::parse(sddl),
            None => Descriptor::parse(&access(&Sid::own()?.to_string(), self.public)),
        }
    }
}

impl Default for Options {
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
    use super::{CLIENT_RIGHTS, Options, access};
    use windows_sys::Win32::Storage::FileSystem::{
        FILE_APPEND_DATA, FILE_READ_DATA, FILE_WRITE_DATA, SYNCHRONIZE,
    };

    #[test]
    fn only_the_owner_is_let_in_unless_asked_otherwise() {
        assert_eq!(access("S-1-5-18", false), "O:S-1-5-18D:P(A;;GA;;;S-1-5-18)");
        assert_eq!(access("S-1-5-18", true), "O:S-1-5-18D:P(A;;GA;;;S-1-5-18)(A;;0x12019B;;;AU)");
        let public = Options { public: true, ..Options::new() };
        assert!(Options::new().descriptor().is_ok() && public.descriptor().is_ok());
    }

    #[test]
    fn a_client_cannot_make_an_instance() {
        // FILE_APPEND_DATA is FILE_CREATE_PIPE_INSTANCE, where the file is a pipe.
        assert_eq!(CLIENT_RIGHTS & FILE_APPEND_DATA, 0);
        let needed = FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE;
        assert_eq!(CLIENT_RIGHTS & needed, needed);
    }
}
