//! Polling.

use strait_core::port::WaitPoint;

pub(crate) use super::poll::{wait, wait_any};

/// The sleeper looks for itself.
pub(crate) fn wake(_point: WaitPoint<'_>) {}

/// As [`wake`]: which of them looks first is chance.
pub(crate) fn wake_first(_point: WaitPoint<'_>, _most: u32) -> bool {
    false
}
