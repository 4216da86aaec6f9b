//! A hardware lock, staged: a register that several participants of one process take in turn.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};

/// A lock register that names its holder.
#[derive(Default)]
pub struct HardwareLock {
    /// Whether the machine has one.
    pub built_in: AtomicBool,
    /// Whether the region is in memory without compare-and-swap.
    pub alone: AtomicBool,
    /// The holder's identity, or 0.
    pub holder: AtomicU32,
    /// How many attempts from now on find it taken.
    pub refusals: AtomicU32,
    pub taken: AtomicU32,
}

impl HardwareLock {
    /// How many attempts find it held before one gives up.
    const TRIES: u32 = 1_000_000;

    pub fn take(&self, me: u32, is_dead: impl Fn(u32) -> bool) -> bool {
        let less = |left: u32| left.checked_sub(1);
        if self.refusals.fetch_update(Relaxed, Relaxed, less).is_ok() {
            return false;
        }
        for _ in 0..Self::TRIES {
            let found = self.holder.compare_exchange(0, me, Acquire, Relaxed);
            match found {
                Ok(_) => {
                    self.taken.fetch_add(1, Relaxed);
                    return true;
                }
                // It names its holder, so what a dead one held can be freed.
                Err(holder) if is_dead(holder) => {
                    let _ = self.holder.compare_exchange(holder, 0, Release, Relaxed);
                }
                Err(_) => std::thread::yield_now(),
            }
        }
        false
    }

    pub fn give(&self, me: u32) {
        assert_eq!(self.holder.swap(0, Release), me, "it is given back by its holder");
    }
}
