//! Functions of pipes and semaphores on Windows alone.

use crate::pipe::{Impersonation, PipeOptions, User};
use crate::sys;
use crate::{NamedSemaphore, SemOpenError};

use super::{Sddl, Sid};

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::User {}
    impl Sealed for super::PipeOptions {}
    impl Sealed for super::Impersonation<'_> {}
    impl Sealed for super::NamedSemaphore {}
}

/// A user is a security identifier.
///
/// ```
/// use strait_os::pipe::User;
/// use strait_os::windows::{Sid, UserExt as _};
///
/// let system = User::from_sid(Sid::SYSTEM);
/// assert_eq!((system.sid(), User::parse("S-1-5-18")), (Sid::SYSTEM, Some(system)));
/// ```
pub trait UserExt: sealed::Sealed {
    /// The user of this identifier.
    #[must_use]
    fn from_sid(sid: Sid) -> Self;

    /// The user's identifier.
    #[must_use]
    fn sid(&self) -> Sid;
}

impl UserExt for User {
    fn from_sid(sid: Sid) -> Self {
        Self(sid)
    }

    fn sid(&self) -> Sid {
        self.0
    }
}

/// A server of a pipe has a security descriptor.
pub trait PipeOptionsExt: sealed::Sealed {
    /// For a server: exactly this security descriptor, in the place of [`PipeOptions::public`]. A client needs
    /// the rights 0x12019B to connect.
    #[must_use]
    fn sddl(self, sddl: Sddl) -> Self;
}

impl PipeOptionsExt for PipeOptions {
    fn sddl(mut self, sddl: Sddl) -> Self {
        self.system.sddl = Some(sddl.text().into());
        self
    }
}

/// The user that is impersonated, as the system reports it.
pub trait ImpersonationExt: sealed::Sealed {
    /// The client's user, as it was when it connected: unlike a process id, this cannot be another's by now.
    #[must_use]
    fn user(&self) -> User;
}

impl ImpersonationExt for Impersonation<'_> {
    fn user(&self) -> User {
        User(self.system.0.user())
    }
}

/// A semaphore has a security descriptor.
pub trait NamedSemaphoreExt: sealed::Sealed + Sized {
    /// Creates the semaphore with this security descriptor. To use it, others need the rights 0x100002.
    ///
    /// # Errors
    ///
    /// As [`NamedSemaphore::create`].
    fn create_with_sddl(name: &str, initial: u32, sddl: &Sddl) -> Result<Self, SemOpenError>;
}

impl NamedSemaphoreExt for NamedSemaphore {
    fn create_with_sddl(name: &str, initial: u32, sddl: &Sddl) -> Result<Self, SemOpenError> {
        Self::create_for(name, initial, &sys::semaphore::Access::of_sddl(sddl.text()))
    }
}
