//! Errors.

/// The errors here: one line for the user.
pub type Result<T> = std::result::Result<T, String>;
