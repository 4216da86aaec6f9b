//! Compare-and-swap by the core's own instructions.

use core::sync::atomic::{AtomicU32, Ordering};

/// Replaces `current` by `new`, or returns the value found.
#[inline(always)]
pub fn compare_exchange(word: &AtomicU32, current: u32, new: u32, order: Ordering) -> Result<u32, u32> {
    word.compare_exchange(current, new, order, Ordering::Relaxed)
}
