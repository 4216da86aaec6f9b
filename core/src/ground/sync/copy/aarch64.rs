//! Copies through NEON registers.
//!
//! Each kind of length takes its loads first and its stores last, and the last access ends where the
//! copy does: it overlaps the one before it where the length is no multiple of its width.

use core::arch::asm;

/// Bytes from which [`copy`] may be used.
pub const LEAST: usize = 8;

/// Copies 16 bytes.
///
/// # Safety
///
/// As for [`copy`].
#[inline(always)]
pub unsafe fn copy_pair(from: *const u8, into: *mut u8) {
    // SAFETY: the caller promises 16 bytes on either side.
    unsafe {
        asm!(
            "ldr {a:q}, [{from}]",
            "str {a:q}, [{into}]",
            from = in(reg) from,
            into = in(reg) into,
            a = out(vreg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// Copies `len` bytes.
///
/// # Safety
///
/// `from` must be valid for reads and `into` for writes of `len` bytes, [`LEAST`] at least, that do
/// not overlap. The shared range may be written by others at the same time.
#[inline(always)]
pub unsafe fn copy(from: *const u8, into: *mut u8, len: usize) {
    let (last, last_into) = (from.wrapping_add(len), into.wrapping_add(len));
    if len < 16 {
        // SAFETY: accesses at 0 and `len - 8`, of 8 bytes, and `len` is 8 at least.
        unsafe {
            asm!(
                "ldr {a}, [{from}]",
                "ldur {b}, [{last}, #-8]",
                "str {a}, [{into}]",
                "stur {b}, [{last_into}, #-8]",
                from = in(reg) from,
                into = in(reg) into,
                last = in(reg) last,
                last_into = in(reg) last_into,
                a = out(reg) _,
                b = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
    } else if len <= 32 {
        // SAFETY: accesses at 0 and `len - 16`, of 16 bytes, and `len` is 16 at least.
        unsafe {
            asm!(
                "ldr {a:q}, [{from}]",
                "ldur {b:q}, [{last}, #-16]",
                "str {a:q}, [{into}]",
                "stur {b:q}, [{last_into}, #-16]",
                from = in(reg) from,
                into = in(reg) into,
                last = in(reg) last,
                last_into = in(reg) last_into,
                a = out(vreg) _,
                b = out(vreg) _,
                options(nostack, preserves_flags),
            );
        }
    } else if len <= 64 {
        // SAFETY: accesses of 32 bytes at 0 and `len - 32`, and `len` is more than 32.
        unsafe {
            asm!(
                "ldp {a:q}, {b:q}, [{from}]",
                "ldp {c:q}, {d:q}, [{last}, #-32]",
                "stp {a:q}, {b:q}, [{into}]",
                "stp {c:q}, {d:q}, [{last_into}, #-32]",
                from = in(reg) from,
                into = in(reg) into,
                last = in(reg) last,
                last_into = in(reg) last_into,
                a = out(vreg) _,
                b = out(vreg) _,
                c = out(vreg) _,
                d = out(vreg) _,
                options(nostack, preserves_flags),
            );
        }
    } else {
        // SAFETY: blocks start at 0, 64 bytes apart, as long as more than 64 bytes are left; the
        // last one ends at `len`.
        unsafe {
            asm!(
                "2:",
                "ldp {a:q}, {b:q}, [{from}]",
                "ldp {c:q}, {d:q}, [{from}, #32]",
                "stp {a:q}, {b:q}, [{into}]",
                "stp {c:q}, {d:q}, [{into}, #32]",
                "add {from}, {from}, #64",
                "add {into}, {into}, #64",
                "cmp {from}, {last}",
                "b.lo 2b",
                "ldp {a:q}, {b:q}, [{last}]",
                "ldp {c:q}, {d:q}, [{last}, #32]",
                "stp {a:q}, {b:q}, [{last_into}]",
                "stp {c:q}, {d:q}, [{last_into}, #32]",
                from = inout(reg) from => _,
                into = inout(reg) into => _,
                last = in(reg) last.wrapping_sub(64),
                last_into = in(reg) last_into.wrapping_sub(64),
                a = out(vreg) _,
                b = out(vreg) _,
                c = out(vreg) _,
                d = out(vreg) _,
                options(nostack),
            );
        }
    }
}
