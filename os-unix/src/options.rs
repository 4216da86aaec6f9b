//! How a region is made and mapped.

/// How a region is made and mapped. The default is private (mode 0600), read and write, with
/// neither prefault nor lock.
///
/// ```
/// use strait_os_unix::Options;
/// let for_control_loops = Options::new().prefault(true).lock(true);
/// let for_a_monitor = Options::new().read_only(true);
/// # assert_ne!(for_control_loops, for_a_monitor);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub(crate) mode: u32,
    pub(crate) owner: Option<u32>,
    pub(crate) any_owner: bool,
    pub(crate) prefault: bool,
    pub(crate) lock: bool,
    pub(crate) read_only: bool,
    pub(crate) domain: u32,
}

impl Options {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            mode: 0o600,
            owner: None,
            any_owner: false,
            prefault: false,
            lock: false,
            read_only: false,
            domain: 0,
        }
    }

    /// Creates files with exactly this mode, whatever the umask, and opens only files that grant
    /// nothing beyond it. 0600 unless set. Everybody who may write to a region can disturb all who
    /// use it, so widen it only for peers of one trust.
    #[must_use]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Opens only files of this user. This process's effective user unless set.
    #[must_use]
    pub const fn owner(mut self, uid: u32) -> Self {
        self.owner = Some(uid);
        self
    }

    /// Opens files of any user and any mode, as long as the system lets this user in: for tools that
    /// look. What such a region holds may come from anybody.
    #[must_use]
    pub const fn any_owner(mut self, on: bool) -> Self {
        self.any_owner = on;
        self
    }

    /// Brings every page into memory while mapping, so that no later access faults.
    #[must_use]
    pub const fn prefault(mut self, on: bool) -> Self {
        self.prefault = on;
        self
    }

    /// Locks every page into memory while mapping, which also prefaults.
    #[must_use]
    pub const fn lock(mut self, on: bool) -> Self {
        self.lock = on;
        self
    }

    /// Maps for reading alone. Such a handle is no participant: it can look, but claim no role.
    #[must_use]
    pub const fn read_only(mut self, on: bool) -> Self {
        self.read_only = on;
        self
    }

    /// Takes part as one of this domain: 0 unless set, and right for all who share the region between
    /// processes of one system. Another one is for a region that the plan gives to several domains, as
    /// where firmware on a core of its own has the other end. See [`Channel::domains`].
    ///
    /// [`Channel::domains`]: strait_core::Channel::domains
    #[must_use]
    pub const fn domain(mut self, domain: u32) -> Self {
        self.domain = domain;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
