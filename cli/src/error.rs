//! Errors: one line for the user, and the exit status.

use std::fmt::Display;
use std::io::ErrorKind;

/// Something failed.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;

/// The errors of this program.
pub type Result<T> = std::result::Result<T, Error>;

/// A line for the user, and the exit status that goes with it.
#[derive(Debug)]
pub struct Error {
    status: u8,
    line: String,
}

impl Error {
    /// Something failed.
    pub fn failed(line: impl Into<String>) -> Self {
        Self { status: FAILED, line: line.into() }
    }

    /// The command line is wrong.
    pub fn usage(line: impl Into<String>) -> Self {
        Self { status: USAGE, line: line.into() }
    }

    /// `what` failed with `error`.
    pub fn at(what: impl Display, error: impl Display) -> Self {
        Self::failed(format!("{what}: {error}"))
    }

    /// The line; empty if it has been printed already.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        self.status
    }
}

/// The system's text for the error, without its number; the most frequent one in the same words on
/// each system.
pub fn reason(error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        return "no such file or directory".into();
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().trim_end_matches('.');
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// As [`reason`], of a file that could not be written, with what to do about it.
pub fn reason_and_advice(error: &std::io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; make room",
        ErrorKind::FileTooLarge => {
            "; raise the limit on this process's files (ulimit -f), or use another file system"
        }
        _ => "",
    };
    reason(error) + advice
}

/// A program that was run has ended with this status, and has said why.
pub fn ended_with(status: Option<i32>) -> Error {
    let status = status.and_then(|status| u8::try_from(status).ok()).unwrap_or(FAILED);
    Error { status, line: String::new() }
}

/// A failure whose lines have been printed already.
pub fn reported() -> Error {
    Error::failed(String::new())
}
