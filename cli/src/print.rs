//! Output: results go to standard output, everything else to standard error.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;

use crate::error::{Error, Result, reason_and_advice};
use crate::text::printable;

/// Prints to standard output. A reader that has closed its end, as `head` does, is no error.
pub fn out(text: &str) -> Result<()> {
    let mut stdout = stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::at("standard output", reason_and_advice(&error)))
        }
        _ => Ok(()),
    }
}

/// Prints one line to standard error, which may be closed.
pub fn note(line: &str) {
    let _ = writeln!(stderr().lock(), "strait: {}", printable(line));
}

/// Prints the error's line, unless it has been printed already, and returns the exit status.
pub fn report(error: &Error) -> ExitCode {
    if !error.line().is_empty() {
        note(error.line());
    }
    ExitCode::from(error.status())
}
