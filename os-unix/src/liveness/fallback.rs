//! Without open-file-description locks nothing proves a death: every probe is `Unknown`.

use std::fs::File;
use std::path::Path;

use strait_core::port::{Ident, Probe, TokenRefused};

use crate::error::OsError;
use crate::fork::Origin;
use crate::map::Mapping;

/// The region's file, and whether this handle takes part in the region.
#[derive(Debug)]
pub(crate) struct Tokens {
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
        joins: Option<&Mapping>,
    ) -> Result<Self, OsError> {
        let joins = joins.map(Mapping::range).is_some();
        Ok(Self { file, joins, origin: Origin::here()? })
    }

    /// The region's file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Always granted in the process that opened the region: the slot's own word says whether it is
    /// taken.
    pub(crate) fn acquire(&self, _who: Ident) -> Result<(), TokenRefused> {
        if self.joins && !self.origin.left() { Ok(()) } else { Err(TokenRefused) }
    }

    /// Nothing to give back.
    pub(crate) fn release(&self, _who: Ident) {}

    /// Nothing is known of anybody.
    pub(crate) fn probe(&self, _who: Ident) -> Probe {
        Probe::Unknown
    }
}
