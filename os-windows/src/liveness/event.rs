//! Liveness tokens as named events, which are there as long as somebody has them open.
//!
//! # Invariants
//!
//! - E1. A token's only lasting handle belongs to the process that took it: it is not inherited, and
//!   never handed over. So the name ends with this process, or when the token is given back.
//! - E2. All participants of a region look names up in one namespace: each has found the region's
//!   beacon there, an event that the region's creator made and every participant keeps open. So a
//!   name that is not found is not there.

use std::os::windows::io::OwnedHandle;
use std::sync::{Mutex, PoisonError};

use strait_core::port::{Ident, TokenRefused};
use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, GetLastError};
use windows_sys::Win32::System::Threading::{CreateEventW, OpenEventW, SYNCHRONIZATION_SYNCHRONIZE};

use super::Unproven;
use crate::error::FromCall as _;
use crate::name::Space;
use crate::security::{Descriptor, own};

const TOKEN: &str = "alive";
const BEACON: &str = "beacon";

/// The tokens of one region, by name.
#[derive(Debug)]
pub struct EventTokens {
    space: Space,
    instance: u64,
    security: Descriptor,
    joins: bool,
    /// `None`: not found, so nothing can be proven.
    beacon: Option<OwnedHandle>,
    held: Mutex<Vec<(Ident, OwnedHandle)>>,
}

impl EventTokens {
    /// The tokens of a region that is being created here.
    pub(crate) fn create(space: Space, instance: u64, security: Descriptor) -> Result<Self, OsError> {
        let beacon = create(&space.object(instance, BEACON, 0), &security)?;
        let beacon = beacon.ok_or(OsError::numbered("create the region's beacon", ERROR_ALREADY_EXISTS))?;
        let (joins, held) = (true, Mutex::default());
        Ok(Self { space, instance, security, joins, beacon: Some(beacon), held })
    }

    /// The tokens of a region that is opened, to take part if `joins`; `None` if it belongs to another
    /// namespace.
    pub(crate) fn open(space: Space, instance: u64, security: Descriptor, joins: bool) -> Option<Self> {
        let beacon = open(&space.object(instance, BEACON, 0)).ok().flatten();
        if joins && beacon.is_none() {
            return None;
        }
        Some(Self { space, instance, security, joins, beacon, held: Mutex::default() })
    }

    /// Creates the name; refused if it is there.
    pub(super) fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        if !self.joins {
            return Err(TokenRefused);
        }
        match create(&self.name(who), &self.security) {
            Ok(Some(token)) => {
                self.held.lock().unwrap_or_else(PoisonError::into_inner).push((who, token));
                Ok(())
            }
            _ => Err(TokenRefused),
        }
    }

    /// Closes it, if it is ours.
    pub(super) fn release(&self, who: Ident) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).retain(|(held, _)| *held != who);
    }

    /// Whether nobody has the name.
    pub(super) fn is_free(&self, who: Ident) -> Result<bool, Unproven> {
        if self.beacon.is_none() {
            return Err(Unproven); // E2
        }
        Ok(open(&self.name(who))?.is_none())
    }

    fn name(&self, who: Ident) -> Vec<u16> {
        self.space.object(self.instance, TOKEN, who.word())
    }
}

/// Creates an event; `None` if its name is taken.
fn create(name: &[u16], security: &Descriptor) -> Result<Option<OwnedHandle>, OsError> {
    let attributes = security.attributes();
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let event = unsafe { CreateEventW(&raw const attributes, 1, 0, name.as_ptr()) };
    // SAFETY: it reads a number of the calling thread.
    let code = unsafe { GetLastError() };
    if event.is_null() {
        return Err(OsError::numbered("CreateEvent", code));
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    let event = unsafe { own(event) };
    Ok((code != ERROR_ALREADY_EXISTS).then_some(event))
}

/// Opens an event; `None` if there is none of that name. That it may not be opened is an error, and so
/// no proof of anything.
fn open(name: &[u16]) -> Result<Option<OwnedHandle>, OsError> {
    // SAFETY: the name ends in a zero.
    let event = unsafe { OpenEventW(SYNCHRONIZATION_SYNCHRONIZE, 0, name.as_ptr()) };
    if event.is_null() {
        let error = OsError::last("OpenEvent");
        return if error.is(ERROR_FILE_NOT_FOUND) { Ok(None) } else { Err(error) };
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    Ok(Some(unsafe { own(event) }))
}
