//! Linux: what the kernel says when it starts the program.

use nix::libc;

use super::is_of_another;

/// Also for a file's capabilities, for a program that has taken on one user again, and for what a security module names.
pub fn is_privileged() -> bool {
    // SAFETY: reads a list that the kernel made for this process, and that does not change.
    let is_secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    is_secure || is_of_another()
}
