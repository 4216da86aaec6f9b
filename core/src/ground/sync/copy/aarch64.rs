//! Blocks of 64 bytes through NEON registers.

use core::arch::asm;

/// Bytes from which [`copy`] may be used.
pub const LEAST: usize = 64;

/// Copies `len` bytes. The last block overlaps the one before it where `len` is no multiple of 64.
///
/// # Safety
///
/// `from` must be valid for reads and `into` for writes of `len` bytes, [`LEAST`] at least, that do
/// not overlap. What is shared of them may be written by others meanwhile.
#[inline(always)]
pub unsafe fn copy(from: *const u8, into: *mut u8, len: usize) {
    // SAFETY: the blocks start at the front, 64 bytes apart, as long as more than one is left; the
    // last one ends at `len`.
    unsafe {
        asm!(
            "b 3f",
            "2:",
            "ldp {a:q}, {b:q}, [{from}]",
            "ldp {c:q}, {d:q}, [{from}, #32]",
            "stp {a:q}, {b:q}, [{into}]",
            "stp {c:q}, {d:q}, [{into}, #32]",
            "add {from}, {from}, #64",
            "add {into}, {into}, #64",
            "3:",
            "cmp {from}, {last}",
            "b.lo 2b",
            "ldp {a:q}, {b:q}, [{last}]",
            "ldp {c:q}, {d:q}, [{last}, #32]",
            "stp {a:q}, {b:q}, [{last_into}]",
            "stp {c:q}, {d:q}, [{last_into}, #32]",
            from = inout(reg) from => _,
            into = inout(reg) into => _,
            last = in(reg) from.wrapping_add(len - LEAST),
            last_into = in(reg) into.wrapping_add(len - LEAST),
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
            options(nostack),
        );
    }
}
