//! Polling.

use strait_core::port::WaitPoint;

pub(crate) use super::poll::wait;

/// The sleeper looks for itself.
pub(crate) fn wake(_point: WaitPoint<'_>) {}
