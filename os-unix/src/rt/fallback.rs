//! No pinning.

use super::RtError;

pub(super) fn pin_to(_cpus: &[usize]) -> Result<(), RtError> {
    Err(RtError::Unsupported)
}
