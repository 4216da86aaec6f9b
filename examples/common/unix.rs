//! What differs between systems: here Unix.

use nix::unistd::{Gid, Uid, geteuid, setgid, setuid};
use strait::Options;

use super::Result;

/// Options for a region that every user of the machine may write to.
pub fn for_everybody() -> Options {
    Options::new().mode(0o666)
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
