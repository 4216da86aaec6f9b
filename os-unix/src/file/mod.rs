//! Files that hold regions: drafts that appear complete under their name, and checks on opening.

pub(crate) mod check;
pub(crate) mod draft;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub(crate) mod os;

#[cfg(not(target_os = "linux"))]
#[path = "fallback.rs"]
pub(crate) mod os;
