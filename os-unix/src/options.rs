//! The options of a region on this system.

use core::fmt;

use strait_os_base::MapOptions;

/// Whom a region lets in, and how it is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The mode of a file that is created, and the most that one that is opened may grant.
    pub mode: u32,
    /// Whether a region that is created may have a mode that lets others read and not write.
    pub readers: bool,
    /// The user whose files are opened. `None`: this process's effective user.
    pub owner: Option<u32>,
    /// What every system has.
    pub map: MapOptions,
}

impl Options {
    /// Mode 0600, of this user, read and write.
    pub const PRIVATE: Self = Self { mode: 0o600, readers: false, owner: None, map: MapOptions::PLAIN };
}

/// The owner of a file: a user id.
pub type Owner = u32;

/// A mode that lets in more users than the options allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The file's mode.
    pub found: u32,
    /// The mode that the options allow.
    pub allowed: u32,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, allowed } = self;
        write!(
            f,
            "the region's mode {found:04o} lets in more users than {allowed:04o}; change it, or allow that mode"
        )
    }
}
