//! The parts that differ between boards: the mailbox, and the entry point. The build script says which board it is.

#[cfg(board = "cortex_m3")]
mod cortex_m3;
#[cfg(board = "cortex_m3")]
pub use cortex_m3::*;

#[cfg(board = "cortex_m33")]
mod cortex_m33;
#[cfg(board = "cortex_m33")]
pub use cortex_m33::*;

#[cfg(board = "riscv32")]
mod riscv32;
#[cfg(board = "riscv32")]
pub use riscv32::*;
