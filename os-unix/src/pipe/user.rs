//! Users are numbers.

use core::fmt;

use nix::unistd::geteuid;

/// A user's id.
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

    /// Reads a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The id.
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
