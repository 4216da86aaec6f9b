//! Files that hold regions: drafts that appear complete under their name, and checks on opening.

pub(crate) mod check;
pub(crate) mod draft;

/// The system's directory of named regions.
#[cfg(target_os = "linux")]
const NAMES: Option<&str> = Some("/dev/shm");
#[cfg(target_os = "android")]
const NAMES: Option<&str> = None;

/// Whether files without a name can be given one: Android's apps may make no second name of a file.
#[cfg(any(target_os = "linux", target_os = "android"))]
const HAS_UNNAMED: bool = cfg!(target_os = "linux");

/// The error where there is none.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_NAMES: strait_os_base::OsError = strait_os_base::OsError::explained(
    "this system has no directory for names; set STRAIT_DIR to a directory of this user, as the app's files directory",
    nix::libc::ENOENT,
);

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux.rs"]
pub(crate) mod os;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "fallback.rs"]
pub(crate) mod os;
