//! Just enough of x86_64 to name the instructions that a fast path must not hold.

use std::fmt;

/// An instruction that costs far more than it looks, or leaves the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Costly {
    /// `call`, near or far.
    Call,
    /// `cpuid`, which serialises.
    Cpuid,
    /// `div` and `idiv` of integers.
    Divide,
    /// `mfence`, `lfence`, `sfence`.
    Fence,
    /// Anything with a `lock` prefix.
    Locked,
    /// `movs`, `stos` and their kind with a `rep` prefix.
    Repeated,
    /// `syscall`, `sysenter`, `int`.
    SystemCall,
    /// `xchg` with memory, which locks without a prefix.
    Xchg,
}

impl Costly {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Call,
        Self::Cpuid,
        Self::Divide,
        Self::Fence,
        Self::Locked,
        Self::Repeated,
        Self::SystemCall,
        Self::Xchg,
    ];
}

impl fmt::Display for Costly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Cpuid => "cpuid",
            Self::Divide => "div",
            Self::Fence => "fence",
            Self::Locked => "lock",
            Self::Repeated => "rep",
            Self::SystemCall => "syscall",
            Self::Xchg => "xchg",
        })
    }
}

/// The longest instruction in bytes.
pub const LONGEST: usize = 15;

/// The costly instruction that starts at the first of these bytes, if any.
///
/// They must start where an instruction does: then prefixes are what stands before the opcode, and
/// nothing in a displacement or an immediate is ever looked at.
pub fn judge(bytes: &[u8; LONGEST]) -> Option<Costly> {
    const LOCK: u8 = 0xF0;
    const REP: [u8; 2] = [0xF2, 0xF3];
    let is_prefix = |byte: u8| {
        matches!(byte, LOCK | 0xF2 | 0xF3 | 0x66 | 0x67)
            || matches!(byte, 0x26 | 0x2E | 0x36 | 0x3E | 0x64 | 0x65)
            || matches!(byte, 0x40..=0x4F)
    };
    let start = bytes.iter().position(|&byte| !is_prefix(byte))?;
    let (prefixes, rest) = bytes.split_at(start);
    if prefixes.contains(&LOCK) {
        return Some(Costly::Locked);
    }
    let &[opcode, next, modrm, ..] = rest else { return None };
    let repeats = prefixes.iter().any(|byte| REP.contains(byte));
    match opcode {
        0x0F => match next {
            0x05 | 0x34 => Some(Costly::SystemCall),
            0xA2 => Some(Costly::Cpuid),
            // With memory, or behind a prefix, these are other instructions.
            0xAE if is_register(modrm) && field(modrm) >= 5 && !repeats && !prefixes.contains(&0x66) => {
                Some(Costly::Fence)
            }
            _ => None,
        },
        0x86 | 0x87 if !is_register(next) => Some(Costly::Xchg),
        0xA4..=0xA7 | 0xAA..=0xAF if repeats => Some(Costly::Repeated),
        0xCD => Some(Costly::SystemCall),
        0xE8 => Some(Costly::Call),
        0xF6 | 0xF7 if field(next) >= 6 => Some(Costly::Divide),
        0xFF if matches!(field(next), 2 | 3) => Some(Costly::Call),
        // Among them C4, C5 and 62, the vector instructions' prefixes: no costly ones are behind.
        _ => None,
    }
}

/// Whether a ModRM byte names a register, not memory.
fn is_register(modrm: u8) -> bool {
    modrm >> 6 == 3
}

/// The middle field of a ModRM byte, which tells apart the instructions of one opcode.
fn field(modrm: u8) -> u8 {
    modrm >> 3 & 7
}

#[cfg(test)]
mod tests {
    use super::{Costly, LONGEST, judge};

    #[track_caller]
    fn judged(code: &[u8], as_what: Option<Costly>) {
        // The bytes behind it must not matter.
        for behind in [0x00, 0x90, 0xF0, 0xFF] {
            let mut bytes = [behind; LONGEST];
            bytes[..code.len()].copy_from_slice(code);
            assert_eq!(judge(&bytes), as_what, "{code:02x?}, then {behind:02x}");
        }
    }

    #[test]
    fn costly_instructions_are_named() {
        judged(&[0xF0, 0x0F, 0xC1, 0x07], Some(Costly::Locked)); // lock xadd [rdi], eax
        judged(&[0x66, 0xF0, 0x0F, 0xB1, 0x0F], Some(Costly::Locked)); // lock cmpxchg [rdi], cx
        judged(&[0xF0, 0x48, 0x0F, 0xC7, 0x0F], Some(Costly::Locked)); // lock cmpxchg16b [rdi]
        judged(&[0xF0, 0x83, 0x4C, 0x24, 0xC0, 0x00], Some(Costly::Locked)); // lock or [rsp-64], 0
        judged(&[0x87, 0x07], Some(Costly::Xchg)); // xchg [rdi], eax
        judged(&[0x49, 0x87, 0x00], Some(Costly::Xchg)); // xchg [r8], rax
        judged(&[0x86, 0x44, 0x24, 0x08], Some(Costly::Xchg)); // xchg [rsp+8], al
        judged(&[0x0F, 0xAE, 0xE8], Some(Costly::Fence)); // lfence
        judged(&[0x0F, 0xAE, 0xF0], Some(Costly::Fence)); // mfence
        judged(&[0x0F, 0xAE, 0xF8], Some(Costly::Fence)); // sfence
        judged(&[0x0F, 0xA2], Some(Costly::Cpuid));
        judged(&[0xE8, 0, 0, 0, 0], Some(Costly::Call));
        judged(&[0xFF, 0xD0], Some(Costly::Call)); // call rax
        judged(&[0x41, 0xFF, 0x54, 0x24, 0x18], Some(Costly::Call)); // call [r12+24]
        judged(&[0xFF, 0x15, 0, 0, 0, 0], Some(Costly::Call)); // call [rip+0]
        judged(&[0x0F, 0x05], Some(Costly::SystemCall));
        judged(&[0xCD, 0x80], Some(Costly::SystemCall));
        judged(&[0xF3, 0x48, 0xA5], Some(Costly::Repeated)); // rep movsq
        judged(&[0xF3, 0xAA], Some(Costly::Repeated)); // rep stosb
        judged(&[0xF7, 0xF1], Some(Costly::Divide)); // div ecx
        judged(&[0x49, 0xF7, 0xF8], Some(Costly::Divide)); // idiv r8
        judged(&[0xF6, 0x77, 0x08], Some(Costly::Divide)); // div byte [rdi+8]
    }

    #[test]
    fn others_are_not() {
        judged(&[0xB8, 0xF0, 0xF0, 0xF0, 0xF0], None); // mov eax, 0xf0f0f0f0
        judged(&[0x81, 0xC1, 0xE8, 0x0F, 0x05, 0xF0], None); // add ecx, 0xf0050fe8
        judged(&[0x48, 0x8B, 0x80, 0xF0, 0x0F, 0xAE, 0xF0], None); // mov rax, [rax-0xf51f010]
        judged(&[0x48, 0x87, 0xD8], None); // xchg rax, rbx
        judged(&[0x48, 0x93], None); // xchg rax, rbx, the short form
        judged(&[0xF3, 0x90], None); // pause
        judged(&[0xF3, 0x0F, 0x1E, 0xFA], None); // endbr64
        judged(&[0x0F, 0xAE, 0x38], None); // clflush [rax]
        judged(&[0xF3, 0x0F, 0xAE, 0xF0], None); // umonitor rax
        judged(&[0x66, 0x0F, 0xAE, 0xF0], None); // tpause eax
        judged(&[0x48, 0xA5], None); // movsq, once
        judged(&[0xFF, 0xE0], None); // jmp rax
        judged(&[0xFF, 0xC0], None); // inc eax
        judged(&[0xF7, 0xE1], None); // mul ecx
        judged(&[0xF7, 0xD8], None); // neg eax
        judged(&[0xC5, 0xF8, 0x77], None); // vzeroupper
        judged(&[0xC4, 0xE2, 0xF0, 0xF7, 0xC1], None); // a vector prefix with f0 and f7 in it
        judged(&[0xC3], None); // ret
    }
}
