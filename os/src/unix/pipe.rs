//! Functions of pipes and semaphores on Unix alone.

use crate::pipe::User;
use crate::sys;
use crate::{NamedSemaphore, SemOpenError};

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::User {}
    impl Sealed for super::NamedSemaphore {}
}

/// A user is a number.
///
/// # Examples
///
/// ```
/// use strait_os::pipe::User;
/// use strait_os::unix::UserExt as _;
///
/// let root = User::from_uid(0);
/// assert_eq!((root.uid(), User::parse("0")), (0, Some(root)));
/// ```
pub trait UserExt: sealed::Sealed {
    /// The user of this id.
    #[must_use]
    fn from_uid(uid: u32) -> Self;

    /// The user's id.
    #[must_use]
    fn uid(&self) -> u32;
}

impl UserExt for User {
    fn from_uid(uid: u32) -> Self {
        Self(uid)
    }

    fn uid(&self) -> u32 {
        self.0
    }
}

/// A semaphore has a mode.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_os::NamedSemaphore;
/// use strait_os::unix::NamedSemaphoreExt as _;
///
/// # let name = &format!("doc-sem-mode-{}", std::process::id());
/// // For a group; the umask still takes bits away.
/// let berths = NamedSemaphore::create_with_mode(name, 2, 0o660)?;
/// berths.try_acquire()?;
/// berths.release(1)?;
/// NamedSemaphore::remove(name)?;
/// # Ok(())
/// # }
/// ```
pub trait NamedSemaphoreExt: sealed::Sealed + Sized {
    /// Creates the semaphore with this mode, less what the umask takes away. Both reading and
    /// writing are needed to use it.
    ///
    /// # Errors
    ///
    /// As [`NamedSemaphore::create`]; [`SemOpenError::Mode`] if the mode has bits beyond 0666.
    fn create_with_mode(name: &str, initial: u32, mode: u32) -> Result<Self, SemOpenError>;
}

impl NamedSemaphoreExt for NamedSemaphore {
    fn create_with_mode(name: &str, initial: u32, mode: u32) -> Result<Self, SemOpenError> {
        if mode & !0o666 != 0 {
            return Err(SemOpenError::Mode { mode });
        }
        Self::create_for(name, initial, &sys::semaphore::Access::of_mode(mode))
    }
}
