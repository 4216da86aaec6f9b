//! How a region is made and mapped.

use core::fmt;

use crate::error::OsError;
use crate::security::{Descriptor, Sid};

/// How a region is made and mapped. The default is private to this process's user, read and write,
/// with neither prefault nor lock.
///
/// ```
/// # #[cfg(windows)] {
/// use strait_os_windows::Options;
/// let for_control_loops = Options::new().prefault(true).lock(true);
/// let for_a_monitor = Options::new().read_only(true);
/// # assert_ne!(for_control_loops, for_a_monitor);
/// # }
/// ```
///
/// # A service and a desktop program that must meet
///
/// They run in different sessions, and mostly as different users. The service creates, the program
/// opens, and both give the same options:
///
/// | preset | region | who creates it needs |
/// | --- | --- | --- |
/// | by name | [`Region::global`](crate::Region::global) | the privilege `SeCreateGlobalPrivilege`, which services and administrators have |
/// | in a file | [`Region::at`](crate::Region::at) | nothing but a directory that both may use |
///
/// The options are [`Options::meeting`] of the group that the program's user is in: a group made for
/// the purpose, or [`Sid::INTERACTIVE`] for whoever sits at the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub(crate) group: Option<Sid>,
    pub(crate) sddl: Option<Sddl>,
    pub(crate) owner: Option<Sid>,
    pub(crate) any_owner: bool,
    pub(crate) prefault: bool,
    pub(crate) lock: bool,
    pub(crate) read_only: bool,
}

impl Options {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            group: None,
            sddl: None,
            owner: None,
            any_owner: false,
            prefault: false,
            lock: false,
            read_only: false,
        }
    }

    /// The preset for a service that runs as `service` and programs whose users are in `group`. See
    /// the table above.
    #[must_use]
    pub const fn meeting(service: Sid, group: Sid) -> Self {
        Self::new().owner(service).group(group)
    }

    /// Lets the members of this group read and write what is created, and opens regions that let
    /// them. Nobody but the owner unless set. Everybody who may write to a region can disturb all who
    /// use it, so widen it only for peers of one trust.
    #[must_use]
    pub const fn group(mut self, group: Sid) -> Self {
        self.group = Some(group);
        self
    }

    /// Creates with exactly this security descriptor, and opens only regions that let in nobody
    /// beyond it. Takes the place of [`group`](Self::group).
    #[must_use]
    pub const fn sddl(mut self, sddl: Sddl) -> Self {
        self.sddl = Some(sddl);
        self
    }

    /// Opens only regions of this user. This process's user unless set.
    #[must_use]
    pub const fn owner(mut self, user: Sid) -> Self {
        self.owner = Some(user);
        self
    }

    /// Opens regions of any owner, and whomever they let in, as long as the system lets this user in:
    /// for tools that look. What such a region holds may come from anybody.
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

    /// Locks every page into the process's working set while mapping, which also prefaults. The
    /// working set's least size is raised by as much.
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
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// A security descriptor in the system's own language (SDDL), checked.
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> Result<(), strait_os_windows::SddlError> {
/// use strait_os_windows::{Options, Sddl};
/// // The system and its administrators, and nobody else.
/// let options = Options::new().sddl(Sddl::new("D:P(A;;GA;;;SY)(A;;GA;;;BA)")?);
/// # let _ = options;
/// # Ok(())
/// # }
/// # #[cfg(not(windows))] fn main() {}
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sddl {
    bytes: [u8; Self::LONGEST],
    len: u16,
}

impl Sddl {
    /// Bytes of the longest text.
    pub const LONGEST: usize = 510;

    /// Checks the text.
    ///
    /// # Errors
    ///
    /// [`SddlError`].
    pub fn new(text: &str) -> Result<Self, SddlError> {
        let mut bytes = [0; Self::LONGEST];
        let room = bytes.get_mut(..text.len()).ok_or(SddlError::TooLong)?;
        room.copy_from_slice(text.as_bytes());
        Descriptor::parse(text).map_err(SddlError::Malformed)?;
        Ok(Self { bytes, len: text.len() as u16 })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        // It was text when it was copied, and has not changed.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for Sddl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Why a text is no security descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SddlError {
    /// It is longer than [`Sddl::LONGEST`] bytes.
    TooLong,
    /// The system cannot read it.
    Malformed(OsError),
}

impl fmt::Display for SddlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the security descriptor is too long; 510 bytes are the most"),
            Self::Malformed(error) => {
                write!(
                    f,
                    "the security descriptor cannot be read ({error}); see SDDL in Windows' own documents"
                )
            }
        }
    }
}

impl core::error::Error for SddlError {}
