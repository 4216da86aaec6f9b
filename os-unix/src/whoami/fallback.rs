//! No start time.

/// Not known here.
pub(crate) fn start_time() -> u64 {
    0
}
