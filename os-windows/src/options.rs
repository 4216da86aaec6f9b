//! The options of a region on this system.

use core::fmt;

use strait_os_base::MapOptions;

use crate::security::Sid;

pub use crate::security::{Sddl, SddlError};

/// The access to a region, and how it is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The group that may read and write as well.
    pub group: Option<Sid>,
    /// The security descriptor, in the place of the group.
    pub sddl: Option<Sddl>,
    /// The user whose regions are opened. `None`: this process's.
    pub owner: Option<Sid>,
    /// What every system has.
    pub map: MapOptions,
}

impl Options {
    /// For this user alone, read and write.
    pub const PRIVATE: Self = Self { group: None, sddl: None, owner: None, map: MapOptions::PLAIN };
}

/// The owner of a file or an object.
pub type Owner = Sid;

/// A user that the object lets in and the options do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// One of them; `None` if everybody is let in, or if that cannot be read.
    pub found: Option<Sid>,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            Some(sid) => write!(f, "the region lets in {sid}; change that, or allow it in the options"),
            None => f.write_str("the region lets in everybody, or in a way that cannot be read; change that"),
        }
    }
}
