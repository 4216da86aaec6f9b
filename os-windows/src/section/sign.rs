//! A region's name: a section of one page that holds the id of the region under it.
//!
//! ```text
//!   0  magic "SIGN"
//!   4  zero
//!   8  the region's instance id, low word, high word; 0: there is none
//! ```
//!
//! The system has no way to give a section a name later, or to take it away. So the name belongs to
//! this page, and the region itself is in a section that is named after its instance id. It is
//! complete before its id is put here, by one compare-and-swap, and removing it takes the id away.
//! The page lives as long as somebody has it open: every process that has the region open does, and for a
//! moment every process that looks for it.
//!
//! # Invariants
//!
//! - S1. The id changes by compare-and-swap only: from none, or from one whose memory nobody has any
//!   more, to that of a complete region; and from any to none.
//! - S2. An id is never used twice. So one whose memory is gone once is gone for ever.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};

use strait_os_base::{MapFailed, MapOptions, Mapped, OsError};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS};

use crate::error::FromCall as _;
use crate::map;
use crate::name::Space;
use crate::security::Descriptor;

const LEN: u32 = 4096;
const MAGIC: u32 = u32::from_le_bytes(*b"SIGN");
const AT_INSTANCE: usize = 8;

/// Rounds of opening and creating before a sign that comes and goes is given up.
const ROUNDS: u32 = 16;

/// An open sign.
#[derive(Debug)]
pub(crate) struct Sign {
    map: Mapped,
    handle: OwnedHandle,
    read_only: bool,
}

/// Why there is no sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignError {
    /// The object of that name is a section, but no sign.
    Foreign,
    /// This user may not create sections that other sessions see.
    NotPrivileged,
    /// It could not be mapped.
    Map(MapFailed),
    Os(OsError),
}

impl From<OsError> for SignError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl Sign {
    /// Opens the sign of this name; `None` if there is none.
    pub(crate) fn open(space: Space, name: &str, read_only: bool) -> Result<Option<Self>, SignError> {
        match super::open(&space.sign(name), read_only)? {
            Some(handle) => Self::map(handle, read_only).map(Some),
            None => Ok(None),
        }
    }

    /// Opens the sign of this name, or creates it if there is none.
    pub(crate) fn open_or_create(space: Space, name: &str, security: &Descriptor) -> Result<Self, SignError> {
        for _ in 0..ROUNDS {
            if let Some(sign) = Self::open(space, name, false)? {
                return Ok(sign);
            }
            match super::create(Some(&space.sign(name)), LEN, security) {
                Ok(Some(handle)) => return Self::map(handle, false),
                Ok(None) => {}
                // There was nothing to be denied but the creation.
                Err(error) if space == Space::Global && error.is(ERROR_ACCESS_DENIED) => {
                    return Err(SignError::NotPrivileged);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(SignError::Os(OsError::numbered("create a name", ERROR_ALREADY_EXISTS)))
    }

    fn map(handle: OwnedHandle, read_only: bool) -> Result<Self, SignError> {
        let options = MapOptions { read_only, ..MapOptions::PLAIN };
        let map = match map::shared(handle.as_handle(), Some(LEN), &options) {
            Err(MapFailed::TooShort { .. }) => return Err(SignError::Foreign),
            other => other.map_err(SignError::Map)?,
        };
        let sign = Self { map, handle, read_only };
        match sign.magic().load(Ordering::Relaxed) {
            MAGIC | 0 => Ok(sign),
            _ => Err(SignError::Foreign),
        }
    }

    /// The section, for its security to be checked.
    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }

    /// The region under the name, by the sign; it may be gone already.
    pub(crate) fn instance(&self) -> Option<u64> {
        // ORDERING(sign): a reader that sees the id finds the region complete.
        let instance = self.word().load(Ordering::Acquire);
        (instance != 0).then_some(instance)
    }

    /// Puts a complete region under the name, where `old` is none or gone. Whether that worked: it
    /// does not if somebody else was faster.
    pub(crate) fn publish(&self, old: Option<u64>, instance: u64) -> bool {
        if self.read_only {
            return false;
        }
        // Relaxed: it is constant once it is there, and independent of the region's content.
        self.magic().store(MAGIC, Ordering::Relaxed);
        let old = old.unwrap_or(0);
        // ORDERING(sign): the region is complete before its id can be seen.
        self.word().compare_exchange(old, instance, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Takes the region away from the name. Whether there was one.
    pub(crate) fn clear(&self) -> bool {
        // Relaxed: it takes an id away, and hands nothing over.
        !self.read_only && self.word().swap(0, Ordering::Relaxed) != 0
    }

    fn magic(&self) -> &AtomicU32 {
        // SAFETY: the page is mapped for as long as `self` lives (P1), aligned, accessed atomically by
        // everybody, and if read-only only loaded from.
        unsafe { AtomicU32::from_ptr(self.base().cast()) }
    }

    fn word(&self) -> &AtomicU64 {
        // SAFETY: inside the page, and the page aligned.
        let at = unsafe { self.base().add(AT_INSTANCE) };
        // SAFETY: as for the magic.
        unsafe { AtomicU64::from_ptr(at.cast()) }
    }

    fn base(&self) -> *mut u8 {
        self.map.base().cast().as_ptr()
    }
}
