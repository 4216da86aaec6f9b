//! Other systems: what they remember of how the program was started.

use nix::libc;

use super::is_of_another;

/// Also for a program that has taken on one user again.
pub fn is_privileged() -> bool {
    // SAFETY: reads a flag that the system keeps of this process.
    let is_tainted = unsafe { libc::issetugid() } != 0;
    is_tainted || is_of_another()
}
