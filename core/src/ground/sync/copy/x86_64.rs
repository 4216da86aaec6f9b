//! Blocks of 64 bytes through SSE registers; from a page on, the processor's own string copy.

use core::arch::asm;

/// Bytes from which [`copy`] may be used.
pub const LEAST: usize = 64;

/// Bytes from which the string copy is as fast as registers or faster.
const STRING: usize = 4096;

/// Copies `len` bytes. The last block overlaps the one before it where `len` is no multiple of 64.
///
/// # Safety
///
/// `from` must be valid for reads and `into` for writes of `len` bytes, [`LEAST`] at least, that do
/// not overlap. What is shared of them may be written by others meanwhile.
#[inline(always)]
pub unsafe fn copy(from: *const u8, into: *mut u8, len: usize) {
    if len >= STRING {
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
        return;
    }
    // SAFETY: all accesses lie at `0 <= at` and `at + 64 <= len`.
    unsafe {
        asm!(
            "xor {at:e}, {at:e}",
            "jmp 3f",
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
            "3:",
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
            last = in(reg) len - LEAST,
            at = out(reg) _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
    }
}
