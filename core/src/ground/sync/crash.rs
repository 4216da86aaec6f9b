//! Points at which a test can end the program: before each store to shared memory, numbered from 0.
//!
//! Compiled only under `--cfg strait_crash_points`; an ordinary build has nothing of it.

use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Points still to be passed; all ones while not counting.
static LEFT: AtomicU32 = AtomicU32::new(u32::MAX);
/// The function that ends the program.
static END: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Makes `end` end the program before the store that follows this many others. Only for programs of one
/// thread.
pub fn arm(points: u32, end: fn()) {
    END.store(end as *mut (), Ordering::Relaxed);
    LEFT.store(points, Ordering::Relaxed);
}

/// Stops counting; returns how many points were left, `u32::MAX` if it was not armed.
pub fn disarm() -> u32 {
    LEFT.swap(u32::MAX, Ordering::Relaxed)
}

/// A point.
pub fn point() {
    let left = LEFT.load(Ordering::Relaxed);
    if left == u32::MAX {
        return;
    }
    LEFT.store(left.wrapping_sub(1), Ordering::Relaxed);
    if left == 0 {
        let end = END.load(Ordering::Relaxed);
        // SAFETY: `arm` stored a function of this type before it counted.
        let end: fn() = unsafe { core::mem::transmute::<*mut (), fn()>(end) };
        end();
    }
}
