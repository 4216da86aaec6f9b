//! Names in a directory of one's own.

use std::path::Path;

use crate::name::listed;
use crate::{NameError, OsError, RegionName, sys};

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::RegionName {}
}

/// A name can be in a directory that the program chooses, as where there is no `/dev/shm` (Android, a bare container).
///
/// The variable `STRAIT_DIR` does the same for [`RegionName::new`], [`RegionName::list`] and named pipes in all programs
/// that have it in their environment, the tool too. A program with more rights than those of whoever started it (it is
/// set-user-id or set-group-id, or its file has capabilities) does not look at it.
///
/// The directory must be an absolute path, exist, and be no link. It must be this user's or root's, and if others
/// may write to it, it must have the sticky bit, so that nobody takes away or replaces what is another's. It is best
/// on a tmpfs: on a disk, a page may fault again whenever the system has written it back.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::unix::RegionNameExt as _;
/// use strait_os::{RegionName, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
///
/// # let directory = std::env::temp_dir().join(format!("doc-in-directory-{}", std::process::id()));
/// std::fs::create_dir(&directory)?;
/// # use std::os::unix::fs::PermissionsExt as _;
/// # std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700))?;
/// let name = RegionName::in_directory(&directory, "arm")?;
/// let _region = name.create(&PLAN, &RegionOptions::new())?;
/// assert_eq!(RegionName::list_in(&directory)?, ["arm"]);
/// assert_eq!(name.path(), Some(directory.join("strait.arm").as_path()));
/// name.remove()?;
/// # std::fs::remove_dir(&directory)?;
/// # Ok(())
/// # }
/// ```
pub trait RegionNameExt: sealed::Sealed + Sized {
    /// The region of this name in `directory`. The directory is looked at, the region not yet.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name cannot be one; [`NameError::NoDirectory`] if the directory is not safe for names.
    fn in_directory(directory: impl AsRef<Path>, name: &str) -> Result<Self, NameError>;

    /// The names of the regions in `directory`, sorted. Whether they can be opened is another question.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the directory is not safe for names, or cannot be read.
    fn list_in(directory: impl AsRef<Path>) -> Result<Vec<String>, OsError>;
}

impl RegionNameExt for RegionName {
    fn in_directory(directory: impl AsRef<Path>, name: &str) -> Result<Self, NameError> {
        Self::checked(name, |name| sys::Place::named_in(directory.as_ref(), name))
    }

    fn list_in(directory: impl AsRef<Path>) -> Result<Vec<String>, OsError> {
        sys::Place::names_in(directory.as_ref()).map(listed)
    }
}
