//! The system's named semaphores and mutexes: their names, whether they are there, and waiting for them.

use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::time::Instant;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE,
    ERROR_NOT_ENOUGH_MEMORY, GetLastError, HANDLE, WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

use crate::error::{FromCall as _, OsError};
use crate::name::check_name;
use crate::security::{Descriptor, Sid, own};
use crate::wide::wide;

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectError {
    /// The name cannot be one.
    Name,
    AlreadyExists,
    NotFound,
    NotPermitted,
    /// The name is that of an object of another kind.
    WrongKind,
    NoSpace,
    Os(OsError),
}

impl ObjectError {
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

/// The name as the system takes it. `Local\` or `Global\` may stand in front; without, it is the session's.
pub(crate) fn name(name: &str) -> Result<Vec<u16>, ObjectError> {
    let (space, rest) = match name.split_once('\\') {
        Some((space @ ("Local" | "Global"), rest)) => (space, rest),
        Some(_) => return Err(ObjectError::Name),
        None => ("Local", name),
    };
    check_name(rest).map_err(|_| ObjectError::Name)?;
    Ok(wide(format!("{space}\\{rest}")))
}

/// This user alone.
pub(crate) fn private() -> Result<Descriptor, ObjectError> {
    let own = Sid::own().map_err(ObjectError::Os)?;
    Descriptor::parse(&format!("O:{own}D:P(A;;GA;;;{own})")).map_err(ObjectError::Os)
}

/// What a call that creates or opens came to, which is to be asked at once. True if it was there before.
///
/// # Safety
///
/// The handle must be null or the call's answer, open, and nobody else's.
pub(crate) unsafe fn take(call: &'static str, handle: HANDLE) -> Result<(OwnedHandle, bool), ObjectError> {
    // SAFETY: it reads a number of the calling thread.
    let code = unsafe { GetLastError() };
    if handle.is_null() {
        return Err(ObjectError::new(call, code));
    }
    // SAFETY: the caller's promise.
    Ok((unsafe { own(handle) }, code == ERROR_ALREADY_EXISTS))
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Had,
    /// It was had, and the thread that had it before has ended without giving it back.
    Abandoned,
    TimedOut,
}

/// Waits up to `timeout`: never less, for the system's own time-outs can end a tick early.
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
    use super::{ObjectError, name};

    #[test]
    fn a_name_has_a_space_and_no_other_backslash() {
        let text = |given: &str| name(given).map(|wide| String::from_utf16_lossy(&wide));
        assert_eq!(text("motor"), Ok("Local\\motor\0".into()));
        assert_eq!(text("Local\\motor"), Ok("Local\\motor\0".into()));
        assert_eq!(text("Global\\motor"), Ok("Global\\motor\0".into()));
        for wrong in
            ["", "Global\\", "Session\\a", "Global\\a\\b", "\\a", "a/b", ".a", "a\0b", &"x".repeat(300)]
        {
            assert_eq!(text(wrong), Err(ObjectError::Name), "{wrong:?}");
        }
    }
}
