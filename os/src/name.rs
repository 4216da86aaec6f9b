//! Names of regions: one rule for every system.

use core::fmt;

use crate::OsError;

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
    /// There is no directory for named regions, or it is not safe to use, or `STRAIT_DIR` names no such one. On Unix only.
    NoDirectory(OsError),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the region's name is empty; give it 1 to 200 bytes"),
            Self::TooLong => f.write_str("the region's name is too long; give it 200 bytes at the most"),
            Self::LeadingDot => f.write_str("a region's name may not start with a dot; leave it out"),
            Self::Forbidden => f.write_str(
                "a region's name may hold no slash, backslash, NUL or control character; leave it out",
            ),
            Self::NoDirectory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NameError {}

/// The names among these, sorted.
pub(crate) fn listed(mut found: Vec<String>) -> Vec<String> {
    found.retain(|name| check_name(name).is_ok());
    found.sort();
    found
}

/// Checks a name: 1 to [`MAX_NAME`] bytes, no slash, backslash or control character, no dot in front. What
/// is a name on one system is a name on all.
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
