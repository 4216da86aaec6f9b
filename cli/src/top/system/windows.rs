//! No signals: Ctrl-C is a key while this process has the console.

use std::io;

/// Nothing to prepare.
///
/// # Errors
///
/// None.
pub fn guard() -> io::Result<()> {
    Ok(())
}

/// Processes are not stopped here.
pub fn stop() {}

/// Every console does.
pub fn shows_unicode() -> bool {
    true
}
