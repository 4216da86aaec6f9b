//! What a copy may not do in Device memory, and a copy that does: the core's own, before it was made for devices too.

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

/// The widest access of the copy of this length: its accesses start at multiples of that from the beginning, and the last
/// ends where the copy does.
fn width(len: usize) -> usize {
    if len < 16 { 8 } else { 16 }
}

/// Whether all accesses of the copy are aligned, `at` being the shared side's place.
pub fn is_aligned(at: usize, len: usize) -> bool {
    (at | len).is_multiple_of(width(len))
}

/// Copies 8 bytes at least, as the core did: by the widest accesses, of which the last overlaps the one before.
///
/// # Safety
///
/// `from` must be valid for reads and `into` for writes of `len` bytes, 8 at least, that do not overlap.
pub unsafe fn old_copy(from: *const u8, into: *mut u8, len: usize) {
    let (width, mut at) = (width(len), 0);
    while at + width < len {
        // SAFETY: within the `len` bytes of the caller's promise.
        unsafe { step(from.wrapping_add(at), into.wrapping_add(at), width) };
        at += width;
    }
    let last = len - width;
    // SAFETY: as above; `len` is `width` at least.
    unsafe { step(from.wrapping_add(last), into.wrapping_add(last), width) };
}

/// Copies by one load and one store.
unsafe fn step(from: *const u8, into: *mut u8, width: usize) {
    // SAFETY: the caller's promise, for `width` bytes.
    unsafe {
        if width == 16 {
            asm!("ldr {a:q}, [{f}]", "str {a:q}, [{i}]", f = in(reg) from, i = in(reg) into, a = out(vreg) _);
        } else {
            asm!("ldr {a}, [{f}]", "str {a}, [{i}]", f = in(reg) from, i = in(reg) into, a = out(reg) _);
        }
    }
}
