//! Users and groups, by their security identifiers.

use core::fmt;
use core::ptr::null;
use std::os::windows::io::AsRawHandle;

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::{
    GetLengthSid, GetTokenInformation, IsValidSid, LookupAccountNameW, PSID, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::own;
use crate::error::FromCall as _;
use crate::wide::wide;

/// The longest there can be: 8 bytes and 15 sub-authorities.
const LONGEST: usize = 8 + 15 * 4;

/// A user, a group, or another holder of rights, as Windows knows it.
///
/// ```
/// # #[cfg(windows)]
/// assert_eq!(strait_os_windows::Sid::SYSTEM.to_string(), "S-1-5-18");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(align(8))]
pub struct Sid {
    /// As the system lays it out; zeros behind its end.
    bytes: [u8; LONGEST],
}

impl Sid {
    /// The system itself, as which many services run.
    pub const SYSTEM: Self = Self::of(5, &[18]);
    /// Services with few rights.
    pub const LOCAL_SERVICE: Self = Self::of(5, &[19]);
    /// Services with few rights that use the network.
    pub const NETWORK_SERVICE: Self = Self::of(5, &[20]);
    /// All users that are logged on at a desktop.
    pub const INTERACTIVE: Self = Self::of(5, &[4]);
    /// The machine's administrators. They can give themselves any right anyway.
    pub const ADMINISTRATORS: Self = Self::of(5, &[32, 544]);
    /// Nobody at all.
    pub const NOBODY: Self = Self::of(0, &[0]);
    /// Everybody with an account on the machine.
    pub const USERS: Self = Self::of(5, &[32, 545]);

    const fn of(authority: u8, subs: &[u32]) -> Self {
        let mut bytes = [0; LONGEST];
        bytes[0] = 1;
        bytes[1] = subs.len() as u8;
        bytes[7] = authority;
        let mut i = 0;
        while i < subs.len() {
            let sub = subs[i].to_le_bytes();
            let mut j = 0;
            while j < 4 {
                bytes[8 + 4 * i + j] = sub[j];
                j += 1;
            }
            i += 1;
        }
        Self { bytes }
    }

    /// The user or group of this name, `name` or `domain\name`. Asks the system, and that may ask a
    /// server.
    ///
    /// # Errors
    ///
    /// [`OsError`], `ERROR_NONE_MAPPED` (1332) if there is nobody of that name.
    pub fn named(account: &str) -> Result<Self, OsError> {
        let account = wide(account);
        let mut found = Self { bytes: [0; LONGEST] };
        let mut domain = [0; 256];
        let (mut len, mut domain_len, mut kind) = (LONGEST as u32, domain.len() as u32, 0);
        let sid: PSID = found.bytes.as_mut_ptr().cast();
        // SAFETY: the name ends in a zero, and each buffer has the length that is passed beside it.
        let known = unsafe {
            LookupAccountNameW(
                null(),
                account.as_ptr(),
                sid,
                &raw mut len,
                domain.as_mut_ptr(),
                &raw mut domain_len,
                &raw mut kind,
            )
        };
        if known == 0 { Err(OsError::last("LookupAccountName")) } else { Ok(found) }
    }

    /// The user that this process runs as.
    ///
    /// # Errors
    ///
    /// [`OsError`]; not to be expected.
    pub fn own() -> Result<Self, OsError> {
        let mut token: HANDLE = core::ptr::null_mut();
        // SAFETY: it names this process, and cannot fail.
        let this = unsafe { GetCurrentProcess() };
        // SAFETY: the pointer is a local's.
        if unsafe { OpenProcessToken(this, TOKEN_QUERY, &raw mut token) } == 0 {
            return Err(OsError::last("OpenProcessToken"));
        }
        // SAFETY: the call made the handle, and nobody else knows it.
        let token = unsafe { own(token) };
        let mut user = UserBuffer { user: TOKEN_USER::default(), _sid: [0; LONGEST] };
        let (at, size) = ((&raw mut user).cast(), size_of::<UserBuffer>() as u32);
        let mut needed = 0;
        let token = token.as_raw_handle();
        // SAFETY: the handle is open, and the buffer as long as stated.
        if unsafe { GetTokenInformation(token, TokenUser, at, size, &raw mut needed) } == 0 {
            return Err(OsError::last("GetTokenInformation"));
        }
        // SAFETY: the call put the user's identifier there, inside the buffer, which still lives.
        unsafe { Self::read(user.user.User.Sid) }.ok_or(OsError::numbered("GetTokenInformation", 0))
    }

    /// Copies an identifier of the system's; `None` if it is not one.
    ///
    /// # Safety
    ///
    /// The pointer must be null or name readable memory that holds an identifier as long as its
    /// second byte says.
    pub(crate) unsafe fn read(sid: PSID) -> Option<Self> {
        // SAFETY: the caller's promise; null is looked for first.
        if sid.is_null() || unsafe { IsValidSid(sid) } == 0 {
            return None;
        }
        // SAFETY: it is a valid one.
        let len = unsafe { GetLengthSid(sid) } as usize;
        let mut bytes = [0; LONGEST];
        let from = sid.cast_const().cast::<u8>();
        // SAFETY: as many bytes are there, and a valid one is never longer than the buffer.
        unsafe { core::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), len.min(LONGEST)) };
        Some(Self { bytes })
    }
}

/// The buffer of `TokenUser`: a pointer, and behind it the data that it points to.
#[repr(C)]
struct UserBuffer {
    user: TOKEN_USER,
    _sid: [u8; LONGEST],
}

/// `S-1-5-...`
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.bytes[2..8].iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        write!(f, "S-{}-{authority}", self.bytes[0])?;
        let count = usize::from(self.bytes[1]);
        for sub in self.bytes[8..].chunks_exact(4).take(count) {
            write!(f, "-{}", u32::from_le_bytes([sub[0], sub[1], sub[2], sub[3]]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Sid;

    #[test]
    fn identifiers_have_their_usual_form() {
        assert_eq!(Sid::SYSTEM.to_string(), "S-1-5-18");
        assert_eq!(Sid::USERS.to_string(), "S-1-5-32-545");
        assert!(Sid::own().expect("a user").to_string().starts_with("S-1-5-"));
    }

    #[test]
    fn an_account_is_found_by_its_name_and_an_unknown_one_is_not() {
        assert_eq!(Sid::named("BUILTIN\\Users"), Ok(Sid::USERS));
        assert_eq!(Sid::named("no such account").map_err(|error| error.code()), Err(1332));
    }
}
