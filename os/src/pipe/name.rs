//! Names of pipes.

use core::fmt;

/// Bytes of the longest name of a pipe.
pub const MAX_PIPE_NAME: usize = 64;

/// Why a string cannot be a pipe's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipeNameError {
    /// It is empty.
    Empty,
    /// It is longer than [`MAX_PIPE_NAME`] bytes.
    TooLong,
    /// It starts with a dot.
    LeadingDot,
    /// It holds a slash, a backslash, a NUL or another control character.
    Forbidden,
}

impl fmt::Display for PipeNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the pipe's name is empty; give it 1 to 64 bytes",
            Self::TooLong => "the pipe's name is too long; give it 64 bytes at the most",
            Self::LeadingDot => "a pipe's name may not start with a dot; leave it out",
            Self::Forbidden => {
                "a pipe's name may hold no slash, backslash, NUL or control character; leave it out"
            }
        })
    }
}

impl core::error::Error for PipeNameError {}

/// A name of a pipe that can be one on every system: 1 to [`MAX_PIPE_NAME`] bytes, no slash, backslash or
/// control character, no dot in front. Do not tell names apart by case alone: Windows does not.
///
/// # Examples
///
/// ```
/// use strait_os::pipe::{PipeName, PipeNameError};
///
/// assert_eq!(PipeName::new("arm-3").map(|name| name.to_string()), Ok("arm-3".into()));
/// assert_eq!(PipeName::new("arm/3"), Err(PipeNameError::Forbidden));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeName(String);

impl PipeName {
    /// The name, checked.
    ///
    /// # Errors
    ///
    /// [`PipeNameError`], the first rule that it breaks.
    pub fn new(name: &str) -> Result<Self, PipeNameError> {
        if name.is_empty() {
            return Err(PipeNameError::Empty);
        }
        if name.len() > MAX_PIPE_NAME {
            return Err(PipeNameError::TooLong);
        }
        if name.starts_with('.') {
            return Err(PipeNameError::LeadingDot);
        }
        if name.chars().any(|c| c == '/' || c == '\\' || c.is_control()) {
            return Err(PipeNameError::Forbidden);
        }
        Ok(Self(name.into()))
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PIPE_NAME, PipeName, PipeNameError};

    #[test]
    fn names_that_could_escape_or_confuse_are_refused() {
        for (name, error) in [
            ("", PipeNameError::Empty),
            ("..", PipeNameError::LeadingDot),
            (".hidden", PipeNameError::LeadingDot),
            ("a/b", PipeNameError::Forbidden),
            ("a\\b", PipeNameError::Forbidden),
            ("a\0b", PipeNameError::Forbidden),
            ("a\nb", PipeNameError::Forbidden),
            (&"x".repeat(MAX_PIPE_NAME + 1), PipeNameError::TooLong),
        ] {
            assert_eq!(PipeName::new(name), Err(error), "{name:?}");
        }
        for name in ["arm-3.joint ü", &"x".repeat(MAX_PIPE_NAME)] {
            assert_eq!(PipeName::new(name).expect("a name").as_str(), name);
        }
    }
}
