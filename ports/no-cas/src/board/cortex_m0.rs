//! A Cortex-M0. (QEMU's nRF51 has a SysTick, which the real one leaves out.)

use cortex_m::Peripherals;
pub use cortex_m::asm::wfi as sleep;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::register::primask;
pub use cortex_m_rt::entry;

/// Starts the timer that interrupts.
pub fn start_ticks() {
    let mut timer = Peripherals::take().expect("nobody else takes them").SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(3_200); // 200 microseconds at 16 MHz.
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

#[cortex_m_rt::exception]
fn SysTick() {
    crate::tick();
}

/// Shuts interrupts out; answers whether they were let in.
pub fn shut_out_interrupts() -> bool {
    let were_let_in = primask::read().is_active();
    cortex_m::interrupt::disable();
    were_let_in
}

/// Lets interrupts in.
///
/// # Safety
///
/// Not within somebody else's critical section.
pub unsafe fn let_in_interrupts() {
    // SAFETY: the caller's promise.
    unsafe { cortex_m::interrupt::enable() };
}
