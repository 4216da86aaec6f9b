//! mps2-an521: the first of two Cortex-M33.

pub use cortex_m_rt::entry;

/// The external memory.
pub const SHARED: *mut u8 = 0x8000_0000_u32 as *mut u8;
