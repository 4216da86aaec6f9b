//! Without open-file-description locks nothing proves a death: every probe is `Unknown`.

use std::fs::File;
use std::path::Path;

use strait_core::port::{Ident, Probe, TokenRefused};
use strait_os_base::{Mapped, OsError};

use crate::fork::Origin;

/// The region's file, and whether this handle takes part in the region.
#[derive(Debug)]
pub struct Tokens {
    file: File,
    joins: bool,
    origin: Origin,
}

impl Tokens {
    /// Nothing to prepare.
    ///
    /// # Safety
    ///
    /// None; elsewhere the mapping must live longer than the result.
    pub(crate) unsafe fn new(
        file: File,
        _path: Option<&Path>,
        joins: Option<&Mapped>,
    ) -> Result<Self, OsError> {
        let joins = joins.is_some();
        Ok(Self { file, joins, origin: Origin::here()? })
    }

    /// The same.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new).
    pub(crate) unsafe fn of_window(
        file: File,
        path: Option<&Path>,
        joins: Option<&Mapped>,
        _offset: u64,
    ) -> Result<Self, OsError> {
        // SAFETY: the caller's promise.
        unsafe { Self::new(file, path, joins) }
    }

    /// The same.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new).
    pub(crate) unsafe fn unproven(file: File, joins: Option<&Mapped>, _offset: u64) -> Result<Self, OsError> {
        // SAFETY: the caller's promise.
        unsafe { Self::new(file, None, joins) }
    }

    /// The region's file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Always granted in the process that opened the region: the slot's own word says whether it is
    /// taken.
    pub fn acquire(&self, _who: Ident) -> Result<(), TokenRefused> {
        if self.joins && !self.origin.left() { Ok(()) } else { Err(TokenRefused) }
    }

    /// Nothing to give back.
    pub fn release(&self, _who: Ident) {}

    /// Nothing is known of anybody.
    pub fn probe(&self, _who: Ident) -> Probe {
        Probe::Unknown
    }
}
