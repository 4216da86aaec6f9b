//! Whether this program runs with more rights than those of whoever started it: those of another user or group, or a
//! file's capabilities. Then it trusts no variable of its environment. (`secure_getenv` is not in every C library.)

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use linux::is_privileged;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use other::is_privileged;

/// Whether the program has the rights of another user or group than those of whoever started it, as of now.
fn is_of_another() -> bool {
    use nix::unistd::{getegid, geteuid, getgid, getuid};
    getuid() != geteuid() || getgid() != getegid()
}
