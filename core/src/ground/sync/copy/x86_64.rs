//! Copies through SSE registers; from a page on, by the processor's own string copy.
//!
//! Each kind of length takes its loads first and its stores last, and the last access ends where the
//! copy does: it overlaps the one before it where the length is no multiple of its width.

use core::arch::asm;

/// Bytes from which [`copy`] may be used.
pub const LEAST: usize = 8;

/// What the shared side of [`copy`] must be a multiple of: x86 takes any address, in all kinds of memory.
pub const ALIGN: usize = 1;

/// Bytes from which the string copy is as fast as registers or faster.
const STRING: usize = 4096;

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
            "movups {a}, [{from}]",
            "movups [{into}], {a}",
            from = in(reg) from,
            into = in(reg) into,
            a = out(xmm_reg) _,
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
    if len < 16 {
        // SAFETY: accesses at 0 and `len - 8`, of 8 bytes, and `len` is 8 at least.
        unsafe {
            asm!(
                "mov {a}, [{from}]",
                "mov {b}, [{from} + {len} - 8]",
                "mov [{into}], {a}",
                "mov [{into} + {len} - 8], {b}",
                from = in(reg) from,
                into = in(reg) into,
                len = in(reg) len,
                a = out(reg) _,
                b = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
    } else if len <= 32 {
        // SAFETY: accesses at 0 and `len - 16`, of 16 bytes, and `len` is 16 at least.
        unsafe {
            asm!(
                "movups {a}, [{from}]",
                "movups {b}, [{from} + {len} - 16]",
                "movups [{into}], {a}",
                "movups [{into} + {len} - 16], {b}",
                from = in(reg) from,
                into = in(reg) into,
                len = in(reg) len,
                a = out(xmm_reg) _,
                b = out(xmm_reg) _,
                options(nostack, preserves_flags),
            );
        }
    } else if len <= 64 {
        // SAFETY: accesses of 16 bytes at 0, 16, `len - 32` and `len - 16`, and `len` is more than 32.
        unsafe {
            asm!(
                "movups {a}, [{from}]",
                "movups {b}, [{from} + 16]",
                "movups {c}, [{from} + {len} - 32]",
                "movups {d}, [{from} + {len} - 16]",
                "movups [{into}], {a}",
                "movups [{into} + 16], {b}",
                "movups [{into} + {len} - 32], {c}",
                "movups [{into} + {len} - 16], {d}",
                from = in(reg) from,
                into = in(reg) into,
                len = in(reg) len,
                a = out(xmm_reg) _,
                b = out(xmm_reg) _,
                c = out(xmm_reg) _,
                d = out(xmm_reg) _,
                options(nostack, preserves_flags),
            );
        }
    } else if len < STRING {
        // SAFETY: `len` is more than 64.
        unsafe { copy_blocks(from, into, len) };
    } else {
        // SAFETY: reads and writes `len` bytes, which are valid; the direction flag is clear, as the
        // calling convention has it.
        unsafe {
            asm!(
                "rep movsb",
                inout("rcx") len => _,
                inout("rsi") from => _,
                inout("rdi") into => _,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// Copies blocks of 64 bytes.
///
/// # Safety
///
/// As for [`copy`], of 64 bytes at least.
#[inline(always)]
unsafe fn copy_blocks(from: *const u8, into: *mut u8, len: usize) {
    // SAFETY: blocks start at 0, 64 bytes apart, as long as more than 64 bytes are left; the last one
    // ends at `len`.
    unsafe {
        asm!(
            "xor {at:e}, {at:e}",
            "2:",
            "movups {a}, [{from} + {at}]",
            "movups {b}, [{from} + {at} + 16]",
            "movups {c}, [{from} + {at} + 32]",
            "movups {d}, [{from} + {at} + 48]",
            "movups [{into} + {at}], {a}",
            "movups [{into} + {at} + 16], {b}",
            "movups [{into} + {at} + 32], {c}",
            "movups [{into} + {at} + 48], {d}",
            "add {at}, 64",
            "cmp {at}, {last}",
            "jb 2b",
            "movups {a}, [{from} + {last}]",
            "movups {b}, [{from} + {last} + 16]",
            "movups {c}, [{from} + {last} + 32]",
            "movups {d}, [{from} + {last} + 48]",
            "movups [{into} + {last}], {a}",
            "movups [{into} + {last} + 16], {b}",
            "movups [{into} + {last} + 32], {c}",
            "movups [{into} + {last} + 48], {d}",
            from = in(reg) from,
            into = in(reg) into,
            last = in(reg) len - 64,
            at = out(reg) _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
    }
}
