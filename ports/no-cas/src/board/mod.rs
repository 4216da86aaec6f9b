//! The parts that differ between boards: the timer, the switch for interrupts, sleep, and the entry point.

#[cfg(target_arch = "arm")]
mod cortex_m0;
#[cfg(target_arch = "arm")]
pub use cortex_m0::*;

#[cfg(target_arch = "riscv32")]
mod riscv32;
#[cfg(target_arch = "riscv32")]
pub use riscv32::*;
