//! What a copy may not do in Device memory: what the compiler makes of a `memcpy` does both.

use core::arch::asm;

use super::Access;

pub const ALL: &[Access] = &[
    Access { name: "a load of 8 bytes at 4", run: word },
    Access { name: "a load of 16 bytes at 8", run: load },
    Access { name: "a store of 16 bytes at 8", run: store },
];

unsafe fn word(page: *mut u8) {
    // SAFETY: within the page, by the caller's promise.
    unsafe { asm!("ldr {a}, [{page}, #4]", page = in(reg) page, a = out(reg) _) };
}

unsafe fn load(page: *mut u8) {
    // SAFETY: as above.
    unsafe { asm!("ldr {a:q}, [{at}]", at = in(reg) page.wrapping_add(8), a = out(vreg) _) };
}

unsafe fn store(page: *mut u8) {
    // SAFETY: as above.
    unsafe { asm!("str {a:q}, [{at}]", at = in(reg) page.wrapping_add(8), a = in(vreg) 0_u64) };
}
