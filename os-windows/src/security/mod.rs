//! The users that may open what we create, and those trusted to have created what we open.

mod sddl;
mod sid;

use core::ptr::{null, null_mut};
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT,
    SE_KERNEL_OBJECT, SE_OBJECT_TYPE,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, GetAce, GetSecurityDescriptorDacl,
    GetSecurityDescriptorOwner, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::System::SystemServices::{
    ACCESS_ALLOWED_ACE_TYPE, ACCESS_DENIED_ACE_TYPE, SYSTEM_AUDIT_ACE_TYPE, SYSTEM_MANDATORY_LABEL_ACE_TYPE,
};

use crate::error::FromCall as _;
use crate::options::Options;
use crate::wide::wide;

pub use sddl::{Sddl, SddlError};
pub use sid::Sid;

/// Takes a new handle into possession.
///
/// # Safety
///
/// The handle must be open, of a kind that `CloseHandle` closes, and nobody else's.
pub(crate) unsafe fn own(handle: HANDLE) -> OwnedHandle {
    // SAFETY: the caller's promise.
    unsafe { OwnedHandle::from_raw_handle(handle.cast()) }
}

/// A security descriptor, freed with the value.
#[derive(Debug)]
pub(crate) struct Descriptor(PSECURITY_DESCRIPTOR);

// SAFETY: it is memory that nobody changes, and that any thread may free.
unsafe impl Send for Descriptor {}
// SAFETY: as above.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// The descriptor that the options ask for: their SDDL, or this user as the owner with all rights, and the owner
    /// and the group that they name, if any, with the right to read and write.
    pub(crate) fn of(options: &Options) -> Result<Self, OsError> {
        let own = Sid::own()?;
        if let Some(sddl) = &options.sddl {
            let asked = Self::parse(sddl.text())?;
            // Else it would be the system's choice: for administrators, all of them.
            let named = asked.owner().is_some();
            return if named { Ok(asked) } else { Self::parse(&format!("O:{own}{}", sddl.text())) };
        }
        // Generic read and write, and to wait. No more: not to execute what is in a region.
        let others = [options.owner.filter(|owner| *owner != own), options.group];
        let others: String =
            others.into_iter().flatten().map(|other| format!("(A;;0xC0100000;;;{other})")).collect();
        Self::parse(&format!("O:{own}D:P(A;;GA;;;{own}){others}"))
    }

    /// Reads the system's own language for them.
    pub(crate) fn parse(sddl: &str) -> Result<Self, OsError> {
        let sddl = wide(sddl);
        let mut descriptor = null_mut();
        // SAFETY: the text ends in a zero, and the pointer is a local's; the length is not asked for.
        let parsed = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if parsed == 0 { Err(OsError::last("read the SDDL")) } else { Ok(Self(descriptor)) }
    }

    /// For a call that creates something. Valid for as long as the descriptor is; the handle is not
    /// inherited by children.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }

    fn owner(&self) -> Option<Sid> {
        let (mut owner, mut defaulted) = (null_mut(), 0);
        // SAFETY: the descriptor is valid until `self` is dropped, and the pointers are locals'.
        unsafe { GetSecurityDescriptorOwner(self.0, &raw mut owner, &raw mut defaulted) };
        // SAFETY: it is null, or points into the descriptor.
        unsafe { Sid::read(owner) }
    }

    fn dacl(&self) -> *const ACL {
        let (mut present, mut dacl, mut defaulted) = (0, null_mut(), 0);
        // SAFETY: the descriptor is valid until `self` is dropped, and the pointers are locals'.
        unsafe { GetSecurityDescriptorDacl(self.0, &raw mut present, &raw mut dacl, &raw mut defaulted) };
        if present == 0 { null() } else { dacl }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system allocated it for the caller to free, and nobody did before.
        unsafe { LocalFree(self.0) };
    }
}

/// The kind of object that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A file.
    File,
    /// A section or another object of the kernel.
    Object,
}

impl Sort {
    fn number(self) -> SE_OBJECT_TYPE {
        match self {
            Self::File => SE_FILE_OBJECT,
            Self::Object => SE_KERNEL_OBJECT,
        }
    }
}

/// Why something is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// Somebody else could have put anything into it.
    Owner {
        /// Its owner.
        found: Sid,
    },
    /// It lets somebody in whom the options do not.
    TooOpen {
        /// One of them; `None` for everybody, or for a kind of entry that we cannot read.
        found: Option<Sid>,
    },
    Os(OsError),
}

/// Checks that what is open under `handle`, with the right to read its security, belongs to whom the
/// options trust, and lets nobody in but them, the system, and its administrators.
pub(crate) fn check(handle: BorrowedHandle<'_>, sort: Sort, options: &Options) -> Result<(), Distrust> {
    if options.map.any_owner {
        return Ok(());
    }
    let found = Found::of(handle, sort).map_err(Distrust::Os)?;
    let own = Sid::own().map_err(Distrust::Os)?;
    let asked = Descriptor::of(options).map_err(Distrust::Os)?;
    let wanted = options.owner.or(asked.owner()).unwrap_or(own);
    // SAFETY: the owner is inside the descriptor, which lives.
    match unsafe { Sid::read(found.owner) } {
        Some(owner) if owner == wanted => {}
        owner => return Err(Distrust::Owner { found: owner.unwrap_or(Sid::NOBODY) }),
    }
    let mut allowed = vec![own, wanted, Sid::SYSTEM, Sid::ADMINISTRATORS];
    // SAFETY: the list is inside the descriptor, which lives.
    let asked = unsafe { let_in(asked.dacl()) };
    allowed.extend(asked.ok_or(Distrust::TooOpen { found: None })?);
    // SAFETY: as above.
    let found = unsafe { let_in(found.dacl) }.ok_or(Distrust::TooOpen { found: None })?;
    match found.into_iter().find(|sid| !allowed.contains(sid)) {
        Some(stranger) => Err(Distrust::TooOpen { found: Some(stranger) }),
        None => Ok(()),
    }
}

/// The security of something that is open.
struct Found {
    owner: PSID,
    dacl: *const ACL,
    /// The descriptor that both point into.
    _descriptor: Descriptor,
}

impl Found {
    fn of(handle: BorrowedHandle<'_>, sort: Sort) -> Result<Self, OsError> {
        let (mut owner, mut dacl, mut descriptor) = (null_mut(), null_mut(), null_mut());
        let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
        // SAFETY: the handle is open, and the pointers are locals' or say that nothing is wanted.
        let code = unsafe {
            GetSecurityInfo(
                handle.as_raw_handle(),
                sort.number(),
                what,
                &raw mut owner,
                null_mut(),
                &raw mut dacl,
                null_mut(),
                &raw mut descriptor,
            )
        };
        match code {
            0 => Ok(Self { owner, dacl, _descriptor: Descriptor(descriptor) }),
            code => Err(OsError::numbered("GetSecurityInfo", code)),
        }
    }
}

/// Those whom a list lets in; `None` if that is everybody (there is no list), or if it has an entry
/// of a kind that we cannot read.
///
/// # Safety
///
/// The pointer must be null or name a valid list.
unsafe fn let_in(acl: *const ACL) -> Option<Vec<Sid>> {
    if acl.is_null() {
        return None;
    }
    // SAFETY: the list is valid.
    let count = unsafe { (*acl).AceCount };
    let mut sids = Vec::new();
    for index in 0..u32::from(count) {
        let mut ace = null_mut();
        // SAFETY: the list is valid, and the pointer a local's.
        if unsafe { GetAce(acl, index, &raw mut ace) } == 0 {
            return None;
        }
        // SAFETY: every entry starts so.
        let kind = u32::from(unsafe { (*ace.cast::<ACE_HEADER>()).AceType });
        match kind {
            ACCESS_ALLOWED_ACE_TYPE => {
                // SAFETY: an entry of this kind is so laid out, with an identifier at its end.
                let sid = unsafe { &raw mut (*ace.cast::<ACCESS_ALLOWED_ACE>()).SidStart };
                // SAFETY: as above.
                sids.push(unsafe { Sid::read(sid.cast()) }?);
            }
            ACCESS_DENIED_ACE_TYPE | SYSTEM_AUDIT_ACE_TYPE | SYSTEM_MANDATORY_LABEL_ACE_TYPE => {}
            _ => return None,
        }
    }
    Some(sids)
}
