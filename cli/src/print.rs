//! Output: results go to standard output, everything else to standard error.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;
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

/// Prints a line to standard output; returns whether somebody still reads there.
pub fn line(line: &str) -> Result<bool> {
    let mut stdout = stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::at("standard output", reason_and_advice(&error))),
    }
}

/// Whether a path that the user gave stands for a standard stream.
pub fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Prints a result: to standard error if standard output is taken by what was asked for.
pub fn result(text: &str, is_taken: bool) -> Result<()> {
    if is_taken {
        text.lines().for_each(note);
        return Ok(());
    }
    out(text)
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
