//! Polling.

use strait_core::port::WaitPoint;

pub(crate) use super::poll::{wait, wait_any};

/// The sleeper looks for itself.
pub(crate) fn wake(_point: WaitPoint<'_>) {}
