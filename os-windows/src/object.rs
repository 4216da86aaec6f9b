//! The system's named semaphores and mutexes: their names, whether they exist, access to them, and waiting.

use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::time::Instant;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE,
    ERROR_NOT_ENOUGH_MEMORY, GetLastError, HANDLE, WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

use crate::error::{FromCall as _, OsError};
use crate::security::{Descriptor, Sid, own};
use crate::wide::wide;

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// Never here: the system takes any name that has been checked.
    Name,
    /// The name is taken.
    AlreadyExists,
    /// There is none of that name.
    NotFound,
    /// Never here: names are in no directory.
    NoDirectory,
    /// This user may not.
    NotPermitted,
    /// The name is that of an object of another kind.
    WrongKind,
    /// No space.
    NoSpace,
    /// Anything else.
    Os(OsError),
}

impl OpenFailure {
    fn new(call: &'static str, code: u32) -> Self {
        match code {
            ERROR_ALREADY_EXISTS => Self::AlreadyExists,
            ERROR_FILE_NOT_FOUND => Self::NotFound,
            ERROR_ACCESS_DENIED => Self::NotPermitted,
            ERROR_INVALID_HANDLE => Self::WrongKind,
            ERROR_NOT_ENOUGH_MEMORY => Self::NoSpace,
            code => Self::Os(OsError::numbered(call, code)),
        }
    }
}

/// The name without the namespace in front of it, which is `Local\` (the session's), `Global\` (the machine's) or
/// none; `None` if there is another one.
#[must_use]
pub fn bare_name(name: &str) -> Option<&str> {
    match name.split_once('\\') {
        Some(("Local" | "Global", rest)) => Some(rest),
        Some(_) => None,
        None => Some(name),
    }
}

/// The name as the system takes it. One without a namespace is the session's.
pub(crate) fn system_name(name: &str) -> Vec<u16> {
    let space = if name.contains('\\') { "" } else { "Local\\" };
    wide(format!("{space}{name}"))
}

/// The access to a new object: this user alone, or a security descriptor in the system's own language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access(Option<String>);

impl Access {
    /// This user alone.
    pub const PRIVATE: Self = Self(None);

    /// By this security descriptor.
    #[must_use]
    pub fn of_sddl(sddl: &str) -> Self {
        Self(Some(sddl.into()))
    }

    pub(crate) fn descriptor(&self) -> Result<Descriptor, OpenFailure> {
        let descriptor = match &self.0 {
            Some(sddl) => Descriptor::parse(sddl),
            None => {
                let own = Sid::own().map_err(OpenFailure::Os)?;
                Descriptor::parse(&format!("O:{own}D:P(A;;GA;;;{own})"))
            }
        };
        descriptor.map_err(OpenFailure::Os)
    }
}

/// Outcome of a call that creates or opens; to be called right after it. True if the object existed before.
///
/// # Safety
///
/// The handle must be null or the call's answer, open, and nobody else's.
pub(crate) unsafe fn take(call: &'static str, handle: HANDLE) -> Result<(OwnedHandle, bool), OpenFailure> {
    // SAFETY: it reads a number of the calling thread.
    let code = unsafe { GetLastError() };
    if handle.is_null() {
        return Err(OpenFailure::new(call, code));
    }
    // SAFETY: the caller's promise.
    Ok((unsafe { own(handle) }, code == ERROR_ALREADY_EXISTS))
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// This thread has the object.
    Had,
    /// This thread has it, and its last owner has ended without giving it back.
    Abandoned,
    /// It was not free.
    TimedOut,
}

/// Waits up to `timeout`: never less, although the system's own time-outs can end a tick early.
pub(crate) fn wait(object: &OwnedHandle, timeout: Duration) -> Result<Waited, OsError> {
    const LONGEST: Duration = Duration::from_millis(1 << 30);
    let start = Instant::now();
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        let millis = left.min(LONGEST).as_micros().div_ceil(1000) as u32;
        // SAFETY: the handle is open.
        match unsafe { WaitForSingleObject(object.as_raw_handle(), millis) } {
            WAIT_OBJECT_0 => return Ok(Waited::Had),
            WAIT_ABANDONED => return Ok(Waited::Abandoned),
            WAIT_TIMEOUT if left.is_zero() => return Ok(Waited::TimedOut),
            WAIT_TIMEOUT => {}
            _ => return Err(OsError::last("WaitForSingleObject")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bare_name, system_name};

    #[test]
    fn a_name_has_a_space_and_no_other() {
        let text = |given: &str| {
            assert!(bare_name(given).is_some());
            String::from_utf16_lossy(&system_name(given))
        };
        assert_eq!(text("motor"), "Local\\motor\0");
        assert_eq!(text("Local\\motor"), "Local\\motor\0");
        assert_eq!(text("Global\\motor"), "Global\\motor\0");
        assert_eq!(bare_name("Global\\motor"), Some("motor"));
        // The bare name itself is checked by the caller.
        for (given, bare) in [("Session\\a", None), ("\\a", None), ("Global\\a\\b", Some("a\\b"))] {
            assert_eq!(bare_name(given), bare, "{given:?}");
        }
    }
}
