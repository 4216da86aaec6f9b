//! How a region is made and mapped.

use crate::sys;

/// How a region is made and mapped. The default is private to this process's user, read and write, with
/// neither prefault nor lock.
///
/// Who else may use a region is said in each system's own words: see `RegionOptionsExt` in
/// `unix` and `windows`.
///
/// # Examples
///
/// ```
/// use strait_os::RegionOptions;
/// let for_control_loops = RegionOptions::new().prefault(true).lock(true);
/// let for_a_monitor = RegionOptions::new().read_only(true);
/// # assert_ne!(for_control_loops, for_a_monitor);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionOptions {
    /// What the system needs to know of them.
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
    /// that look. What such a region holds may come from anybody.
    ///
    /// With [`read_only`](Self::read_only), on Unix, what is opened is a copy, which does not change any more:
    /// whoever may write to a file can also cut it short, and under a mapping that ends this process with
    /// `SIGBUS`. Without it there is a mapping, and that can happen.
    #[must_use]
    pub const fn any_owner(mut self, on: bool) -> Self {
        self.sys.any_owner = on;
        self
    }

    /// Brings every page into memory while mapping, so that no later access faults.
    #[must_use]
    pub const fn prefault(mut self, on: bool) -> Self {
        self.sys.prefault = on;
        self
    }

    /// Locks every page into memory while mapping, which also prefaults. On Windows the least size of the
    /// process's working set is raised by as much.
    #[must_use]
    pub const fn lock(mut self, on: bool) -> Self {
        self.sys.lock = on;
        self
    }

    /// Maps for reading alone. Such a handle is no participant: it can look, but claim no role.
    #[must_use]
    pub const fn read_only(mut self, on: bool) -> Self {
        self.sys.read_only = on;
        self
    }

    /// Takes part as one of this domain: 0 unless set, and right for all that share the region between
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

impl Default for RegionOptions {
    fn default() -> Self {
        Self::new()
    }
}
