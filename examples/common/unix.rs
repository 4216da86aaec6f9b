//! The parts that differ between systems: here Unix.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, geteuid, mkfifo, setgid, setuid};
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

/// Makes a FIFO, of which nobody has the other end.
pub fn make_fifo(path: &str) -> Result<bool> {
    mkfifo(path, Mode::S_IRUSR | Mode::S_IRGRP | Mode::S_IROTH)?;
    Ok(true)
}

/// Opens without waiting for the other end of a FIFO, or taking a terminal for the process's own.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
}

/// Whether a client decides if a server may act with its rights. Here the system does.
pub fn client_decides() -> bool {
    false
}
