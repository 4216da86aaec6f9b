//! Compare-and-swap for cores that have none: a load and a store in the critical section that the
//! program supplies.
//!
//! It holds as far as that section reaches: all code that changes a word by compare-and-swap must share
//! it. Code that only loads or stores the word needs no section, because both accesses here are atomic by
//! themselves.

use core::sync::atomic::{AtomicU32, Ordering};

/// Replaces `current` by `new`, or returns the value found. At least as strong as any `order` but the
/// sequentially consistent one, which no compare-and-swap here asks for.
pub fn compare_exchange(word: &AtomicU32, current: u32, new: u32, _order: Ordering) -> Result<u32, u32> {
    critical_section::with(|_| {
        let seen = word.load(Ordering::Acquire);
        if seen != current {
            return Err(seen);
        }
        word.store(new, Ordering::Release);
        Ok(seen)
    })
}
