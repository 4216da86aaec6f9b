//! mps2-an385: a Cortex-M3.

pub use cortex_m_rt::entry;

/// The external memory.
pub const SHARED: *mut u8 = 0x2100_0000 as *mut u8;
