//! Regions in files.

use core::ops::Deref;
use std::path::PathBuf;

use super::RegionPlace;
use crate::sys;

/// The file of a region, which is as lasting as the file: on a disk it survives the end of all processes, and
/// a loss of power up to the last [`sync`](crate::SystemPort::sync).
///
/// For real-time work prefer a [name](crate::RegionName), or a file in memory: a page of a file on disk may
/// fault again whenever the system has written it back.
///
/// On hugetlbfs a region takes whole huge pages.
///
/// It derefs to [`RegionPlace`], which creates, opens and removes the region.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::{RegionFile, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::latest::<u64>("odometer")]);
///
/// let path = std::env::temp_dir().join(format!("doc-region-file-{}", std::process::id()));
/// let file = RegionFile::new(&path);
/// let region = file.create(&PLAN, &RegionOptions::new())?;
/// region.port().sync()?;
/// drop(region);
/// assert!(file.open(&RegionOptions::new()).is_ok());
/// file.remove()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionFile(RegionPlace);

impl RegionFile {
    /// The region in the file at `path`. A relative one starts from the directory that is the process's
    /// now, unless the process has none.
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self(RegionPlace(sys::Place::file(std::path::absolute(&path).unwrap_or(path))))
    }
}

impl Deref for RegionFile {
    type Target = RegionPlace;

    fn deref(&self) -> &RegionPlace {
        &self.0
    }
}

impl From<RegionFile> for RegionPlace {
    fn from(file: RegionFile) -> Self {
        file.0
    }
}
