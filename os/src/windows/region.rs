//! Windows alone: security descriptors, names in the machine, and handles that hand regions over.

use std::os::windows::io::{AsHandle, OwnedHandle};

use crate::sys::{Place, View};
use crate::{
    NameError, ReceiveError, Region, RegionName, RegionOptions, SealedRegion, ShareError, SystemPort, region,
};

use super::{Sddl, Sid};

/// Advice where memory cannot be locked.
pub(crate) const LOCK_ADVICE: &str =
    "free memory, or grant the privilege to raise working sets, or do not lock";

/// Options that Windows alone has.
///
/// # Examples
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_os::RegionOptions;
/// use strait_os::windows::{RegionOptionsExt as _, Sddl};
/// // The system and its administrators, and nobody else.
/// let options = RegionOptions::new().sddl(Sddl::new("D:P(A;;GA;;;SY)(A;;GA;;;BA)")?);
/// # let _ = options;
/// # Ok(())
/// # }
/// # #[cfg(not(windows))] fn main() {}
/// ```
///
/// # A service and a desktop program that must meet
///
/// They run in different sessions, and mostly as different users. The service creates, the program
/// opens, and both give the same options:
///
/// | preset | region | the creator needs |
/// | --- | --- | --- |
/// | by name | [`RegionName::global`] | the privilege `SeCreateGlobalPrivilege`, which services and administrators have |
/// | in a file | [`RegionFile`](crate::RegionFile) | nothing but a directory that both may use |
///
/// The options are [`meeting`](Self::meeting) of the group that the program's user is in: a group made for
/// the purpose, or [`Sid::INTERACTIVE`] for the users logged on at a desktop.
pub trait RegionOptionsExt: Sized {
    /// The preset for a service that runs as `service` and programs whose users are in `group`. See
    /// the table above.
    #[must_use]
    fn meeting(service: Sid, group: Sid) -> Self;

    /// Lets the members of this group read and write what is created, and opens regions that let
    /// them. Nobody but the owner unless set. A process that may write to a region can disturb all its
    /// users, so widen it only for peers that trust each other.
    #[must_use]
    fn group(self, group: Sid) -> Self;

    /// Creates with exactly this security descriptor, and opens only regions that let in nobody
    /// beyond it. Takes the place of [`group`](Self::group).
    #[must_use]
    fn sddl(self, sddl: Sddl) -> Self;

    /// Opens only regions of this user. This process's user unless set.
    #[must_use]
    fn owner(self, user: Sid) -> Self;
}

impl RegionOptionsExt for RegionOptions {
    fn meeting(service: Sid, group: Sid) -> Self {
        Self::new().owner(service).group(group)
    }

    fn group(mut self, group: Sid) -> Self {
        self.sys.group = Some(group);
        self
    }

    fn sddl(mut self, sddl: Sddl) -> Self {
        self.sys.sddl = Some(sddl);
        self
    }

    fn owner(mut self, user: Sid) -> Self {
        self.sys.owner = Some(user);
        self
    }
}

impl RegionName {
    /// The region of this name in the whole machine (`Global\`). To create it takes the privilege
    /// `SeCreateGlobalPrivilege`, which services and administrators have; to open it takes none.
    /// Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name cannot be one.
    pub fn global(name: &str) -> Result<Self, NameError> {
        Self::checked(name, Place::global)
    }
}

impl SealedRegion {
    /// Takes part in a sealed region whose handle this process was given, as documented at
    /// [`SystemPort::share`]. The handle's object is checked before it is used.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive(handle: OwnedHandle, options: &RegionOptions) -> Result<Region, ReceiveError> {
        let view = View::receive(handle, &options.sys)?;
        region::open(view, options).map_err(ReceiveError::Open)
    }
}

impl SystemPort {
    /// Puts a handle of a sealed region into another process, and returns its number there. Tell
    /// the process that number, by a pipe or its command line; it makes an
    /// [`OwnedHandle`] of it and gives that to [`SealedRegion::receive`].
    ///
    /// `process` is a handle with the right `PROCESS_DUP_HANDLE`; a [`Child`](std::process::Child) is
    /// one.
    ///
    /// # Errors
    ///
    /// [`ShareError`]; nothing was handed over then.
    pub fn share(&self, process: impl AsHandle) -> Result<usize, ShareError> {
        Ok(self.view().share(process.as_handle())?)
    }
}
