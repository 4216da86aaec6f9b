//! How a region is made and mapped.

use crate::sys;

/// How a region is made and mapped. The default is private to this process's user, read and write, with
/// neither prefault nor lock.
///
/// Each system has its own way to let other users in: see `RegionOptionsExt` in `strait_os::unix` and
/// `strait_os::windows`. Options are given to [`RegionPlace`](crate::RegionPlace)'s `create`, `open` and
/// `open_or_create`, and to [`SealedRegion`](crate::SealedRegion).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::{RegionName, RegionOptions};
///
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
/// # let name = &format!("doc-options-{}", std::process::id());
/// let name = RegionName::new(name)?;
/// // The control loop must not fault on a page; the monitor must not be able to write.
/// let control_loop = name.create(&PLAN, &RegionOptions::new().prefault(true))?;
/// let monitor = name.open(&RegionOptions::new().read_only(true))?;
/// control_loop.latest_writer::<f64>("speed")?.publish(&1.5);
/// assert_eq!(monitor.latest_reader::<f64>("speed")?.read().value(), Some(1.5));
/// name.remove()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionOptions {
    /// The part that the system layer needs.
    pub(crate) sys: sys::Options,
    pub(crate) domain: u32,
}

impl RegionOptions {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self { sys: sys::Options::PRIVATE, domain: 0 }
    }

    /// Opens regions of any owner, whomever they let in, as long as the system lets this user in: for tools
    /// that look. The content of such a region may come from anybody.
    ///
    /// With [`read_only`](Self::read_only), on Unix, the file is copied, and the copy does not change any more: a
    /// process that may write to a file can also cut it short, and under a mapping that ends this process with
    /// `SIGBUS`. Without `read_only` there is a mapping, and that can happen.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::{RegionName, RegionOptions};
    ///
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
    /// # let name = &format!("doc-any-owner-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let _region = name.create(&PLAN, &RegionOptions::new())?;
    /// // A tool that only looks, at a region of any user:
    /// let seen = name.open(&RegionOptions::new().any_owner(true).read_only(true))?;
    /// assert_eq!(seen.channels().count(), 1);
    /// name.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn any_owner(mut self, on: bool) -> Self {
        self.sys.map.any_owner = on;
        self
    }

    /// Brings every page into memory while mapping, so that no later access faults.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::{RegionName, RegionOptions};
    ///
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
    /// # let name = &format!("doc-prefault-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let region = name.create(&PLAN, &RegionOptions::new().prefault(true))?;
    /// // The first message costs no page fault.
    /// region.producer("commands")?.try_send(7, b"home")?;
    /// name.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn prefault(mut self, on: bool) -> Self {
        self.sys.map.prefault = on;
        self
    }

    /// Locks every page into memory while mapping, which also prefaults. On Windows the least size of the
    /// process's working set is raised by as much.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::{CreateError, RegionName, RegionOptions};
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
    /// # let name = &format!("doc-lock-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// match name.create(&PLAN, &RegionOptions::new().lock(true)) {
    ///     Ok(_region) => name.remove()?,
    ///     // The limit on locked memory (RLIMIT_MEMLOCK on Unix) is too low; nothing was created.
    ///     Err(CreateError::Lock(error)) => println!("not locked: {error}"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn lock(mut self, on: bool) -> Self {
        self.sys.map.lock = on;
        self
    }

    /// Maps for reading alone. Such a handle is no participant: it can look, but claim no role.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan, Reading};
    /// use strait_os::{RegionName, RegionOptions};
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<u32>("state")]);
    /// # let name = &format!("doc-read-only-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let region = name.create(&PLAN, &RegionOptions::new())?;
    /// region.latest_writer::<u32>("state")?.publish(&7);
    ///
    /// let monitor = name.open(&RegionOptions::new().read_only(true))?;
    /// assert_eq!(monitor.latest_reader::<u32>("state")?.read(), Reading::Fresh(7));
    /// assert!(monitor.latest_writer::<u32>("state").is_err(), "it can claim no role");
    /// name.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn read_only(mut self, on: bool) -> Self {
        self.sys.map.read_only = on;
        self
    }

    /// Takes part as one of this domain: 0 unless set, and right for all that share the region between
    /// processes of one system. Another one is for a region that the plan gives to several domains, as
    /// where firmware on a core of its own has the other end. See [`Channel::domains`].
    ///
    /// [`Channel::domains`]: strait_core::Channel::domains
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::port::Port as _;
    /// use strait_core::{Channel, Plan};
    /// use strait_os::{RegionName, RegionOptions};
    ///
    /// // Domain 0 are the processes of this system, domain 1 is the firmware of another core.
    /// const PLAN: Plan =
    ///     Plan::new(&[Channel::frames("commands", 4096, 256).domains(0, 1), Channel::latest::<f64>("speed")]);
    /// # let name = &format!("doc-domain-{}", std::process::id());
    /// let name = RegionName::new(name)?;
    /// let host = name.create(&PLAN, &RegionOptions::new())?;
    /// // A process that stands in for the firmware, in a test:
    /// let firmware = name.open(&RegionOptions::new().domain(1))?;
    /// assert_eq!((host.port().domain(), firmware.port().domain()), (0, 1));
    /// let mut commands = firmware.consumer("commands")?;
    /// host.producer("commands")?.try_send(7, b"home")?;
    /// assert_eq!(commands.try_recv(&mut [0; 256])?.len, 4);
    /// name.remove()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn domain(mut self, domain: u32) -> Self {
        self.domain = domain;
        self
    }
}

impl Default for RegionOptions {
    fn default() -> Self {
        Self::new()
    }
}
