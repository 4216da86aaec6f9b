//! Copies through NEON registers, by accesses that Device memory takes too.
//!
//! A region may be the memory of a PCI device, which Linux maps as Device memory: there, every access must
//! be aligned, or the processor faults. `ld1` and `st1` of `2d` are accesses of elements of 8 bytes, so they
//! need no more than the alignment of 8 that [`copy`] asks of the shared side, where `ldr` of a `q` register
//! needs 16. No two accesses overlap, and each byte is accessed once. The private side may have any
//! alignment.

use core::arch::asm;

/// Bytes from which [`copy`] may be used.
pub const LEAST: usize = 8;

/// What the shared side of [`copy`] must be a multiple of.
pub const ALIGN: usize = 8;

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
            "ld1 {{{a}.2d}}, [{from}]",
            "st1 {{{a}.2d}}, [{into}]",
            from = in(reg) from,
            into = in(reg) into,
            a = out(vreg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// One load and one store through a register, behind which both pointers are advanced.
macro_rules! step {
    ($load:literal, $store:literal, $width:literal, $class:ident, $from:ident, $into:ident) => {
        asm!(
            concat!($load, ", [{from}], #", $width),
            concat!($store, ", [{into}], #", $width),
            from = inout(reg) $from,
            into = inout(reg) $into,
            a = out($class) _,
            options(nostack, preserves_flags),
        )
    };
}

/// Copies `len` bytes.
///
/// # Safety
///
/// `from` must be valid for reads and `into` for writes of `len` bytes, [`LEAST`] at least, that do
/// not overlap. The shared side must start at a multiple of [`ALIGN`]. It may be written by others at the
/// same time.
#[inline(always)]
pub unsafe fn copy(mut from: *const u8, mut into: *mut u8, len: usize) {
    if len >= 64 {
        // SAFETY: blocks start at 0, 64 bytes apart, as long as 64 bytes are left.
        unsafe {
            asm!(
                "2:",
                "ld1 {{v0.2d, v1.2d, v2.2d, v3.2d}}, [{from}], #64",
                "st1 {{v0.2d, v1.2d, v2.2d, v3.2d}}, [{into}], #64",
                "cmp {from}, {end}",
                "b.lo 2b",
                from = inout(reg) from,
                into = inout(reg) into,
                end = in(reg) from.wrapping_add(len & !63),
                out("v0") _,
                out("v1") _,
                out("v2") _,
                out("v3") _,
                options(nostack),
            );
        }
    }
    // What is left is copied from its largest power of two on: all of it stays aligned.
    if len & 32 != 0 {
        // SAFETY: 32 bytes are left at least.
        unsafe {
            asm!(
                "ld1 {{v0.2d, v1.2d}}, [{from}], #32",
                "st1 {{v0.2d, v1.2d}}, [{into}], #32",
                from = inout(reg) from,
                into = inout(reg) into,
                out("v0") _,
                out("v1") _,
                options(nostack, preserves_flags),
            );
        }
    }
    if len & 16 != 0 {
        // SAFETY: 16 bytes are left at least.
        unsafe { step!("ld1 {{{a}.2d}}", "st1 {{{a}.2d}}", "16", vreg, from, into) };
    }
    if len & 8 != 0 {
        // SAFETY: 8 bytes are left at least.
        unsafe { step!("ldr {a}", "str {a}", "8", reg, from, into) };
    }
    if len & 4 != 0 {
        // SAFETY: 4 bytes are left at least.
        unsafe { step!("ldr {a:w}", "str {a:w}", "4", reg, from, into) };
    }
    if len & 2 != 0 {
        // SAFETY: 2 bytes are left at least.
        unsafe { step!("ldrh {a:w}", "strh {a:w}", "2", reg, from, into) };
    }
    if len & 1 != 0 {
        // SAFETY: the last byte.
        unsafe {
            asm!(
                "ldrb {a:w}, [{from}]",
                "strb {a:w}, [{into}]",
                from = in(reg) from,
                into = in(reg) into,
                a = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
    }
}
