//! Regions without a name, which are handed over.

use strait_core::Plan;

use super::{CreateError, Region, create};
use crate::RegionOptions;
use crate::sys::New;

/// Regions in sealed memory, which has no name and which no peer can cut short: on Unix the one kind for peers
/// that are not trusted.
///
/// | | Linux | other Unix | Windows |
/// | --- | --- | --- | --- |
/// | memory | a sealed memfd | none: [`Unsupported`](CreateError::Unsupported) | a section without a name |
/// | `SystemPort::share` hands it over | a Unix socket, which takes its descriptor | | another process, which is told the handle's number |
/// | `SealedRegion::receive` takes it from | that socket, after checking seals and length | | that handle, after checking what it is of |
///
/// What is handed over differs, so both functions are those of `unix` or
/// `windows` alone.
#[derive(Clone, Copy, Debug)]
pub struct SealedRegion(());

impl SealedRegion {
    /// Creates a region in sealed memory and takes part in it.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create(plan: &Plan<'_>, options: &RegionOptions) -> Result<Region, CreateError> {
        create(plan, options, New::sealed)
    }
}
