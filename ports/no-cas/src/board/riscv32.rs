//! A RISC-V of 32 bits with multiplication and compressed instructions, on QEMU's virt.

pub use riscv::asm::wfi as sleep;
use riscv::interrupt::Interrupt;
use riscv::register::{mie, mstatus};
pub use riscv_rt::entry;

/// The timer, counting at 10 MHz: the time to interrupt at, in two words, and the time.
const COMPARE: *mut u32 = 0x0200_4000 as *mut u32;
const COMPARE_HIGH: *mut u32 = 0x0200_4004 as *mut u32;
const NOW: *const u32 = 0x0200_BFF8 as *const u32;
/// 200 microseconds.
const STEP: u32 = 2_000;

/// Starts the timer that interrupts.
pub fn start_ticks() {
    arm();
    // SAFETY: its handler stands below, and nobody is in a critical section.
    unsafe { mie::set_mtimer() };
    // SAFETY: as above.
    unsafe { riscv::interrupt::enable() };
}

#[riscv_rt::core_interrupt(Interrupt::MachineTimer)]
fn timer() {
    arm();
    crate::tick();
}

/// Asks for the next interrupt. The test is over before the low word wraps, after 7 minutes.
fn arm() {
    // SAFETY: a readable register of this board.
    let now = unsafe { NOW.read_volatile() };
    // SAFETY: a writable register of this board.
    unsafe { COMPARE_HIGH.write_volatile(0) };
    // SAFETY: as above.
    unsafe { COMPARE.write_volatile(now + STEP) };
}

/// Shuts interrupts out; answers whether they were let in.
pub fn shut_out_interrupts() -> bool {
    let were_let_in = mstatus::read().mie();
    riscv::interrupt::disable();
    were_let_in
}

/// Lets interrupts in.
///
/// # Safety
///
/// Not within somebody else's critical section.
pub unsafe fn let_in_interrupts() {
    // SAFETY: the caller's promise.
    unsafe { riscv::interrupt::enable() };
}
