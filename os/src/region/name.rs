//! Regions by name.

use core::ops::Deref;

use super::RegionPlace;
use crate::name::{check_name, listed};
use crate::{NameError, OsError, sys};

/// The name of a region, by which every process of the system finds it.
///
/// | | Linux | other Unix | Windows |
/// | --- | --- | --- | --- |
/// | it is | a file in `/dev/shm`, in memory | a file in `/tmp/strait-<uid>`, which only this user can enter | a section in the session's namespace, in the paging file |
/// | it is with `STRAIT_DIR` set | in that directory: see `unix::RegionNameExt` | the same | the same |
/// | it is there until | it is removed, or the machine restarts | it is removed | the last process that has it open closes it |
///
/// It derefs to [`RegionPlace`], which creates, opens and removes the region. Where a region must outlive a
/// restart of the machine, take a [`RegionFile`](crate::RegionFile); where its peers are not trusted, a
/// [`SealedRegion`](crate::SealedRegion).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::{RegionName, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
///
/// # let name = &format!("doc-region-name-{}", std::process::id());
/// let name = RegionName::new(name)?;
/// let created = name.create(&PLAN, &RegionOptions::new())?;
/// let opened = name.open(&RegionOptions::new())?;
/// assert_eq!(created.header().instance, opened.header().instance);
/// name.remove()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionName(RegionPlace);

impl RegionName {
    /// The region of this name; on Windows, in this session (`Local\`). Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name cannot be one, or there is no place for named regions.
    pub fn new(name: &str) -> Result<Self, NameError> {
        Self::checked(name, sys::Place::named)
    }

    /// The region of a name in a namespace of the system.
    pub(crate) fn checked(
        name: &str,
        place: impl FnOnce(&str) -> Result<sys::Place, OsError>,
    ) -> Result<Self, NameError> {
        check_name(name)?;
        Ok(Self(RegionPlace(place(name).map_err(NameError::NoDirectory)?)))
    }

    /// The names of the regions there are, sorted; on Windows, in this session. Whether they can be opened is
    /// another question.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the system does not tell.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::{RegionName, RegionOptions};
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
    /// # let name = &format!("doc-list-{}", std::process::id());
    /// let place = RegionName::new(name)?;
    /// let _region = place.create(&PLAN, &RegionOptions::new())?;
    /// assert!(RegionName::list()?.contains(name));
    /// place.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list() -> Result<Vec<String>, OsError> {
        sys::Place::names().map(listed)
    }
}

impl Deref for RegionName {
    type Target = RegionPlace;

    fn deref(&self) -> &RegionPlace {
        &self.0
    }
}

impl From<RegionName> for RegionPlace {
    fn from(name: RegionName) -> Self {
        name.0
    }
}
