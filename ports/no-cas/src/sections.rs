//! The critical section that stands in for compare-and-swap: interrupts are shut out. It counts how
//! often it is entered, to show which calls need it.
//!
//! Right for one core alone: where a second one shares the memory, it must not be used.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use critical_section::Impl;

use crate::board;

struct Counted;

critical_section::set_impl!(Counted);

// SAFETY: from `acquire` to `release` no interrupt runs, and there is one core; sections nest, for
// only the outermost one finds interrupts let in.
unsafe impl Impl for Counted {
    unsafe fn acquire() -> bool {
        let were_let_in = board::shut_out_interrupts();
        let count = &ENTERED[usize::from(IN_INTERRUPT.load(Relaxed))];
        count.store(count.load(Relaxed) + 1, Relaxed);
        were_let_in
    }

    unsafe fn release(were_let_in: bool) {
        if were_let_in {
            // SAFETY: the end of the outermost section.
            unsafe { board::let_in_interrupts() };
        }
    }
}

/// How often by the main loop, and by the interrupt.
static ENTERED: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
static IN_INTERRUPT: AtomicBool = AtomicBool::new(false);

/// How often the caller (the main loop, or the interrupt) has entered a critical section.
pub fn entered() -> u32 {
    ENTERED[usize::from(IN_INTERRUPT.load(Relaxed))].load(Relaxed)
}

/// Runs the interrupt's work.
pub fn in_interrupt(work: impl FnOnce()) {
    IN_INTERRUPT.store(true, Relaxed);
    work();
    IN_INTERRUPT.store(false, Relaxed);
}
