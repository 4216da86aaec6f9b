//! A RISC-V of 32 bits (QEMU's virt).

use riscv as _; // Its critical section.
pub use riscv_rt::entry;

/// The first half of the memory.
pub const SHARED: *mut u8 = 0x8000_0000_u32 as *mut u8;
