//! mps2-an521: starting the second core, and its watchdog.

use core::arch::global_asm;
use core::cell::UnsafeCell;

use cortex_m::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;

use crate::trial;

/// Where the second core finds its vectors.
const INITSVTOR1: *mut u32 = 0x5002_1114 as *mut u32;
/// A bit for each core that has not been started.
const CPUWAIT: *mut u32 = 0x5002_1118 as *mut u32;

const STACK: usize = 8192;

#[repr(C, align(8))]
struct Stack(UnsafeCell<[u8; STACK]>);

// SAFETY: the second core alone uses it, as its stack.
unsafe impl Sync for Stack {}

static SECOND_STACK: Stack = Stack(UnsafeCell::new([0; STACK]));

// The vectors, and the watchdog's handler, which returns to the reset vector on an empty stack: what was
// interrupted is gone.
global_asm!(
    ".section .rodata.second_vectors, \"a\"",
    ".balign 128",
    ".global second_vectors",
    "second_vectors:",
    ".word {stack} + {size}",
    ".word {reset}",
    ".rept 13",
    ".word {fault}",
    ".endr",
    ".word second_watchdog",
    ".section .text.second_watchdog, \"ax\"",
    ".thumb_func",
    ".global second_watchdog",
    "second_watchdog:",
    "ldr r0, ={stack} + {size} - 32",
    "movs r1, #0",
    "str r1, [r0, #0]",
    "str r1, [r0, #4]",
    "str r1, [r0, #8]",
    "str r1, [r0, #12]",
    "str r1, [r0, #16]",
    "str r1, [r0, #20]",
    "ldr r1, ={reset}",
    "bic r1, r1, #1",
    "str r1, [r0, #24]",
    "ldr r1, =0x01000000",
    "str r1, [r0, #28]",
    "msr msp, r0",
    "bx lr",
    ".pool",
    stack = sym SECOND_STACK,
    size = const STACK,
    reset = sym second_reset,
    fault = sym second_fault,
);

unsafe extern "C" {
    /// The second core's vectors; only their address is of use.
    static second_vectors: u32;
}

extern "C" fn second_reset() -> ! {
    trial::second()
}

extern "C" fn second_fault() -> ! {
    panic!("a fault of the second core")
}

/// Starts the second core, once; what it needs is initialised by then.
pub fn start_second() {
    let vectors = &raw const second_vectors;
    // SAFETY: a register of this board, which nobody else uses.
    unsafe { INITSVTOR1.write_volatile(vectors as u32) };
    // SAFETY: as above.
    let waiting = unsafe { CPUWAIT.read_volatile() };
    // SAFETY: as above.
    unsafe { CPUWAIT.write_volatile(waiting & !2) };
}

/// Lets the core that calls this run for this many cycles more, and then restarts it.
pub fn bite_after(cycles: u32) {
    // SAFETY: each core has a timer of its own at this address, and uses it here alone.
    let mut timer = unsafe { Peripherals::steal() }.SYST;
    timer.disable_counter();
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(cycles);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// The core that calls this runs for ever.
pub fn bite_no_more() {
    // SAFETY: as above.
    let mut timer = unsafe { Peripherals::steal() }.SYST;
    timer.disable_counter();
    timer.disable_interrupt();
}
