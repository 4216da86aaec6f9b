//! No pinning.

use super::Failed;

/// There is no such thing here.
pub fn pin(_cpus: &[usize]) -> Result<(), Failed> {
    Err(Failed::Unsupported)
}
