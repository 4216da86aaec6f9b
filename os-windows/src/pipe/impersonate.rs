//! Acting with the client's rights, so that the system judges what the client may.

use core::ptr::null_mut;
use std::os::windows::io::AsHandle;

use strait_os_base::OsError;
use strait_os_base::pipe::{ClientRights, ImpersonateFailure};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::{
    GetTokenInformation, RevertToSelf, SECURITY_IMPERSONATION_LEVEL, SecurityImpersonation, TOKEN_QUERY,
    TokenImpersonationLevel,
};
use windows_sys::Win32::System::Pipes::ImpersonateNamedPipeClient;
use windows_sys::Win32::System::Threading::{GetCurrentThread, OpenThreadToken};

use super::instance::Connection;
use super::user;
use crate::error::FromCall as _;
use crate::security::Sid;
use crate::security::own;

/// The client's rights, and as whom this thread acts with them.
#[derive(Debug)]
pub struct Rights(Sid);

/// While this lives, this thread acts with the client's rights.
pub type Impersonation = strait_os_base::pipe::Impersonation<Rights>;

impl Rights {
    /// As whom this thread acts.
    #[must_use]
    pub fn user(&self) -> Sid {
        self.0
    }
}

impl ClientRights for Rights {
    fn give_back(&mut self) -> bool {
        // SAFETY: the call takes nothing, and ends what `begin` has begun in this very thread.
        unsafe { RevertToSelf() != 0 }
    }
}

/// Takes on the client's rights.
pub(super) fn begin(connection: &Connection) -> Result<Impersonation, ImpersonateFailure> {
    if !connection.is_server() {
        return Err(ImpersonateFailure::NotPermitted);
    }
    // SAFETY: the handle is open, and a server's.
    if unsafe { ImpersonateNamedPipeClient(connection.channel.raw()) } == 0 {
        return Err(ImpersonateFailure::Os(OsError::last("ImpersonateNamedPipeClient")));
    }
    // From here on the thread is to be reverted, whatever comes.
    let mut begun = strait_os_base::pipe::Impersonation(Rights(Sid::NOBODY));
    let (user, level) = this_thread()?;
    if level < SecurityImpersonation {
        // The system would refuse to open anything, with an error that does not mention the client.
        return Err(ImpersonateFailure::NotPermitted);
    }
    begun.0 = Rights(user);
    Ok(begun)
}

/// As whom this thread acts, and how far.
fn this_thread() -> Result<(Sid, SECURITY_IMPERSONATION_LEVEL), ImpersonateFailure> {
    let mut token: HANDLE = null_mut();
    // SAFETY: it names this thread, and cannot fail.
    let thread = unsafe { GetCurrentThread() };
    // SAFETY: the pointer is a local's. The process's own rights are what opens it: the client's may not do.
    if unsafe { OpenThreadToken(thread, TOKEN_QUERY, 1, &raw mut token) } == 0 {
        return Err(ImpersonateFailure::Os(OsError::last("OpenThreadToken")));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let token = unsafe { own(token) };
    let mut level: SECURITY_IMPERSONATION_LEVEL = 0;
    let (at, size) = ((&raw mut level).cast(), size_of_val(&level) as u32);
    let (raw, mut needed) = (std::os::windows::io::AsRawHandle::as_raw_handle(&token), 0);
    // SAFETY: the handle is open, and the buffer as long as stated.
    if unsafe { GetTokenInformation(raw, TokenImpersonationLevel, at, size, &raw mut needed) } == 0 {
        return Err(ImpersonateFailure::Os(OsError::last("GetTokenInformation")));
    }
    let user = user::of_token(token.as_handle()).map_err(ImpersonateFailure::Os)?;
    Ok((user, level))
}
