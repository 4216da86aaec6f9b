//! Unix alone: modes and owners of files, and sockets that hand regions over.

use std::os::fd::AsFd;

use crate::sys::View;
use crate::{ReceiveError, Region, RegionOptions, SealedRegion, ShareError, SystemPort, region};

/// Advice where memory cannot be locked.
pub(crate) const LOCK_ADVICE: &str =
    "raise RLIMIT_MEMLOCK (ulimit -l), or grant CAP_IPC_LOCK, or do not lock";

/// Options that Unix alone has.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::unix::RegionOptionsExt as _;
/// use strait_os::{OpenError, RegionName, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
/// # let name = &format!("doc-mode-{}", std::process::id());
/// let name = RegionName::new(name)?;
/// let for_a_group = RegionOptions::new().mode(0o660);
/// let _region = name.create(&PLAN, &for_a_group)?;
/// // It lets in more users than the default accepts, and is opened only by those that ask for that.
/// assert!(matches!(name.open(&RegionOptions::new()), Err(OpenError::TooOpen(_))));
/// assert!(name.open(&for_a_group).is_ok());
/// name.remove()?;
/// # Ok(())
/// # }
/// ```
pub trait RegionOptionsExt: Sized {
    /// Creates files with exactly this mode, whatever the umask, and opens only files that grant
    /// nothing beyond it. 0600 unless set. A process that may write to a region can disturb all its
    /// users, so widen it only for peers that trust each other. A region is not created with a mode that lets
    /// others read it and not write to it, unless [`allow_readers`](Self::allow_readers) is set.
    #[must_use]
    fn mode(self, mode: u32) -> Self;

    /// Lets regions be created with a mode that lets others read them and not write to them, as 0640. Off unless set: such
    /// a reader can keep all others from joining the region for as long as it lives, by a shared lock on its file.
    /// Participants are not disturbed, and each death is still proven.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::unix::RegionOptionsExt as _;
    /// use strait_os::{CreateError, RegionName, RegionOptions};
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
    /// # let name = &format!("doc-readers-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let shown = RegionOptions::new().mode(0o640);
    /// assert_eq!(name.create(&PLAN, &shown).err(), Some(CreateError::ReadersMode { mode: 0o640 }));
    /// // The group's monitors are trusted not to lock the file:
    /// let _region = name.create(&PLAN, &shown.allow_readers(true))?;
    /// name.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    fn allow_readers(self, on: bool) -> Self;

    /// Opens only files of this user. This process's effective user unless set.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::pipe::User;
    /// use strait_os::unix::{RegionOptionsExt as _, UserExt as _};
    /// use strait_os::{OpenError, RegionName, RegionOptions};
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
    /// # let name = &format!("doc-owner-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let _region = name.create(&PLAN, &RegionOptions::new())?;
    /// let us = User::current().uid();
    /// assert!(name.open(&RegionOptions::new().owner(us)).is_ok());
    /// let of_another = name.open(&RegionOptions::new().owner(us + 1));
    /// assert!(matches!(of_another, Err(OpenError::WrongOwner { .. })));
    /// name.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    fn owner(self, uid: u32) -> Self;
}

impl RegionOptionsExt for RegionOptions {
    fn mode(mut self, mode: u32) -> Self {
        self.sys.mode = mode;
        self
    }

    fn allow_readers(mut self, on: bool) -> Self {
        self.sys.readers = on;
        self
    }

    fn owner(mut self, uid: u32) -> Self {
        self.sys.owner = Some(uid);
        self
    }
}

impl SealedRegion {
    /// Receives a sealed region over a Unix socket and takes part in it. Its seals and its length
    /// are checked before it is mapped. Blocks as long as the socket does.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive(socket: impl AsFd, options: &RegionOptions) -> Result<Region, ReceiveError> {
        let view = View::receive(socket.as_fd(), &options.sys)?;
        region::open(view, options).map_err(ReceiveError::Open)
    }
}

impl SystemPort {
    /// Hands a sealed region over a Unix socket, to be taken by [`SealedRegion::receive`]. Blocks as long as
    /// the socket does. The peer gets a description of the memory that shares no lock with this process.
    ///
    /// # Errors
    ///
    /// [`ShareError`]; nothing was handed over then.
    pub fn share(&self, socket: impl AsFd) -> Result<(), ShareError> {
        if self.forked() {
            return Err(ShareError::Forked);
        }
        Ok(self.view().share(socket.as_fd())?)
    }
}
