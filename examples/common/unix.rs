//! The parts that differ between systems: here Unix.

use std::os::unix::fs::PermissionsExt;

use nix::unistd::{Gid, Uid, geteuid, setgid, setuid};
use strait::RegionOptions;
use strait::unix::RegionOptionsExt as _;

use super::Result;

/// RegionOptions for a region that every user of the machine may write to.
pub fn for_everybody() -> RegionOptions {
    RegionOptions::new().mode(0o666)
}

/// Makes this process nobody's, for good, but for root's further groups. False if it is not root's, and so cannot.
pub fn become_nobody() -> Result<bool> {
    const NOBODY: u32 = 65534;
    if !geteuid().is_root() {
        return Ok(false);
    }
    setgid(Gid::from_raw(NOBODY))?;
    setuid(Uid::from_raw(NOBODY))?;
    Ok(true)
}

/// A user who does not serve here.
pub const STRANGER: &str = "65533";

/// Makes a file that nobody may read but root, which may act as nobody; so it takes in any case.
pub fn hide(path: &str) -> Result<bool> {
    std::fs::write(path, "for few\n")?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000))?;
    Ok(true)
}

/// Whether a client decides if a server may act with its rights. Here the system does.
pub fn client_decides() -> bool {
    false
}
