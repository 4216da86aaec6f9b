//! Users are security identifiers.

use core::ptr::null_mut;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::ConvertStringSidToSidW;
use windows_sys::Win32::Security::{
    GetTokenInformation, SECURITY_MAX_SID_SIZE, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
};

use crate::error::FromCall as _;
use crate::security::{Sid, own};
use crate::wide::wide;

/// The user that this process acts as.
#[must_use]
pub fn current() -> Sid {
    Sid::own().unwrap_or(Sid::NOBODY)
}

/// Reads a SID.
#[must_use]
pub fn parse(text: &str) -> Option<Sid> {
    if text.contains('\0') {
        return None;
    }
    let text = wide(text);
    let mut sid = null_mut();
    // SAFETY: the text ends in a zero, and the pointer is a local's.
    if unsafe { ConvertStringSidToSidW(text.as_ptr(), &raw mut sid) } == 0 {
        return None;
    }
    // SAFETY: the call put an identifier there.
    let user = unsafe { Sid::read(sid) };
    // SAFETY: the call allocated it for us to free, and it is read no more.
    unsafe { LocalFree(sid) };
    user
}

/// The user that a process runs as; `None` if this one may not ask, or it has ended.
pub(super) fn of_process(pid: u32) -> Option<Sid> {
    // SAFETY: the call takes numbers.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if process.is_null() {
        return None;
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let process = unsafe { own(process) };
    let mut token: HANDLE = null_mut();
    // SAFETY: the handle is open, and the pointer a local's.
    if unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &raw mut token) } == 0 {
        return None;
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let token = unsafe { own(token) };
    of_token(std::os::windows::io::AsHandle::as_handle(&token)).ok()
}

/// The user that a token stands for.
pub(super) fn of_token(token: BorrowedHandle<'_>) -> Result<Sid, OsError> {
    let mut buffer = Buffer { user: TOKEN_USER::default(), _sid: [0; SECURITY_MAX_SID_SIZE as usize] };
    let (at, size) = ((&raw mut buffer).cast(), size_of::<Buffer>() as u32);
    let mut needed = 0;
    // SAFETY: the handle is open, and the buffer as long as stated.
    if unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, at, size, &raw mut needed) } == 0 {
        return Err(OsError::last("GetTokenInformation"));
    }
    // SAFETY: the call put the user's identifier inside the buffer, which still lives.
    let sid = unsafe { Sid::read(buffer.user.User.Sid) };
    sid.ok_or(OsError::numbered("GetTokenInformation", 0))
}

/// The buffer of `TokenUser`: a pointer, and behind it the data that it points to.
#[repr(C)]
struct Buffer {
    user: TOKEN_USER,
    _sid: [u8; SECURITY_MAX_SID_SIZE as usize],
}
