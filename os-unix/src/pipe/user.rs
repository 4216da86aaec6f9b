//! Users are numbers.

use nix::unistd::geteuid;

use crate::options::Owner;

/// The user that this process acts as.
#[must_use]
pub fn current() -> Owner {
    geteuid().as_raw()
}

/// Reads a number.
#[must_use]
pub fn parse(text: &str) -> Option<Owner> {
    text.parse().ok()
}
