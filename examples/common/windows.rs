//! The parts that differ between systems: here Windows.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use strait::RegionOptions;
use strait::windows::{RegionOptionsExt as _, Sid};

use super::Result;

/// RegionOptions for a region that every user of the machine may write to.
pub fn for_everybody() -> RegionOptions {
    RegionOptions::new().group(Sid::USERS)
}

/// Would make this process another user's, which here takes that user's password: false.
pub fn become_nobody() -> Result<bool> {
    Ok(false)
}

/// A user who does not serve here: the anonymous one.
pub const STRANGER: &str = "S-1-5-7";

/// Makes a file that nobody may read, and says whether that took: wine knows the command, and does nothing.
pub fn hide(path: &str) -> Result<bool> {
    std::fs::write(path, "for few\n")?;
    let denied = Command::new("icacls").args([path, "/deny", "*S-1-1-0:(R)"]).stdout(Stdio::null()).status();
    Ok(denied.is_ok_and(|status| status.success()) && std::fs::File::open(path).is_err())
}

/// Files have no such neighbours here: false.
pub fn make_fifo(_path: &str) -> Result<bool> {
    Ok(false)
}

/// Opening waits for nobody here.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whether a client decides if a server may act with its rights. Wine 8 lets it in any case.
pub fn client_decides() -> bool {
    std::env::var_os("WINEDATADIR").is_none()
}
