//! Names of regions, and of the kernel objects that belong to them.

use core::fmt;

use crate::wide::wide;

/// The prefix of a named region's sign.
pub(crate) const PREFIX: &str = "strait.";

/// Bytes of the longest name.
pub const MAX_NAME: usize = 200;

/// Why a string cannot be a region's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// It is empty.
    Empty,
    /// It is longer than [`MAX_NAME`] bytes.
    TooLong,
    /// It starts with a dot.
    LeadingDot,
    /// It holds a slash, a backslash, a NUL or another control character.
    Forbidden,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the region's name is empty; give it 1 to 200 bytes",
            Self::TooLong => "the region's name is too long; 200 bytes are the most",
            Self::LeadingDot => "a region's name may not start with a dot",
            Self::Forbidden => "a region's name may hold no slash, backslash, NUL or control character",
        })
    }
}

impl core::error::Error for NameError {}

/// Checks a name: 1 to [`MAX_NAME`] bytes, no slash, backslash or control character, no dot in
/// front.
///
/// # Errors
///
/// [`NameError`], the first rule that it breaks.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_NAME {
        return Err(NameError::TooLong);
    }
    if name.starts_with('.') {
        return Err(NameError::LeadingDot);
    }
    if name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
        return Err(NameError::Forbidden);
    }
    Ok(())
}

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

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, NameError, check_name};

    #[test]
    fn names_that_could_escape_or_confuse_are_refused() {
        assert_eq!(check_name(""), Err(NameError::Empty));
        assert_eq!(check_name(".."), Err(NameError::LeadingDot));
        assert_eq!(check_name(".hidden"), Err(NameError::LeadingDot));
        assert_eq!(check_name("a/b"), Err(NameError::Forbidden));
        assert_eq!(check_name("Global\\b"), Err(NameError::Forbidden));
        assert_eq!(check_name("a\0b"), Err(NameError::Forbidden));
        assert_eq!(check_name("a\nb"), Err(NameError::Forbidden));
        assert_eq!(check_name(&"x".repeat(MAX_NAME + 1)), Err(NameError::TooLong));
        assert_eq!(check_name(&"x".repeat(MAX_NAME)), Ok(()));
        assert_eq!(check_name("arm-3.joint ü"), Ok(()));
    }
}
