//! Polling.

pub(super) use super::poll::wait;
