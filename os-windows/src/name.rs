//! Names of kernel objects: those that belong to regions, and the system's own semaphores and mutexes.

use crate::wide::wide;

/// The prefix of a named region's sign.
pub(crate) const PREFIX: &str = "strait.";

/// The namespace that names of kernel objects are looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// The session's own: what one user's programs on one desktop share.
    Local,
    /// The machine's. Any user may create events there, but sections only with a privilege.
    Global,
}

impl Space {
    /// As it stands before a name.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Global => "Global",
        }
    }

    /// The name of a named region's sign.
    pub(crate) fn sign(self, name: &str) -> Vec<u16> {
        wide(format!("{}\\{PREFIX}{name}", self.prefix()))
    }

    /// The name of an object of one region: `what` it is, and which of them.
    pub(crate) fn object(self, instance: u64, what: &str, which: u32) -> Vec<u16> {
        wide(format!("{}\\strait-{instance:016x}.{what}.{which:x}", self.prefix()))
    }
}
