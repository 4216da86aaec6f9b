//! Calls with costly instructions in them, which must be found, and some without.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, _mm_lfence, _mm_mfence, _mm_sfence};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use nix::unistd::getpid;

use super::paths::Outcome::{self, Done};
use super::paths::show;
use super::x86::Costly;

/// The instructions that must be found in each.
pub const EXPECTED: &[(&str, &[Costly])] = &[
    ("nothing", &[]),
    (TEN_NOPS, &[]),
    ("release-store", &[]),
    ("lock", &[Costly::Locked]),
    ("xchg", &[Costly::Xchg]),
    ("mfence", &[Costly::Fence]),
    ("lfence", &[Costly::Fence]),
    ("sfence", &[Costly::Fence]),
    ("call", &[Costly::Call]),
    ("syscall", &[Costly::Call, Costly::SystemCall]),
    ("div", &[Costly::Divide]),
    ("cpuid", &[Costly::Cpuid]),
    (REP, &[Costly::Repeated]),
];

/// A fence, for which compilers have more than one instruction.
pub const FENCED: &str = "fence";
/// Ten instructions more than nothing.
pub const TEN_NOPS: &str = "ten-nops";
/// One instruction that the processor goes through a hundred times.
pub const REP: &str = "rep";

/// Shows every control.
pub fn show_all() {
    let mut word = AtomicU32::new(7);
    let mut n = 7_u32;
    show("nothing", nothing, &mut word, &mut n, Done);
    show(TEN_NOPS, ten_nops, &mut word, &mut n, Done);
    show("release-store", release_store, &mut word, &mut n, Done);
    show("lock", lock, &mut word, &mut n, Done);
    show("xchg", xchg, &mut word, &mut n, Done);
    show(FENCED, fenced, &mut word, &mut n, Done);
    show("mfence", mfence, &mut word, &mut n, Done);
    show("lfence", lfence, &mut word, &mut n, Done);
    show("sfence", sfence, &mut word, &mut n, Done);
    show("call", call, &mut word, &mut n, Done);
    show("syscall", syscall, &mut word, &mut n, Done);
    show("div", div, &mut word, &mut n, Done);
    show("cpuid", cpuid, &mut word, &mut n, Done);
    show(REP, rep, &mut [0; 100], &mut n, Done);
}

extern "C" fn nothing(_: &mut AtomicU32, _: &mut u32) -> Outcome {
    Done
}

extern "C" fn ten_nops(_: &mut AtomicU32, _: &mut u32) -> Outcome {
    // SAFETY: it does nothing.
    unsafe { asm!(".rept 10", "nop", ".endr", options(nomem, nostack)) };
    Done
}

extern "C" fn release_store(word: &mut AtomicU32, n: &mut u32) -> Outcome {
    word.store(*n, Ordering::Release);
    Done
}

extern "C" fn lock(word: &mut AtomicU32, n: &mut u32) -> Outcome {
    *n = word.fetch_add(*n, Ordering::Relaxed);
    Done
}

extern "C" fn xchg(word: &mut AtomicU32, n: &mut u32) -> Outcome {
    *n = word.swap(*n, Ordering::Relaxed);
    Done
}

extern "C" fn fenced(word: &mut AtomicU32, n: &mut u32) -> Outcome {
    word.store(*n, Ordering::Relaxed);
    fence(Ordering::SeqCst);
    *n = word.load(Ordering::Relaxed);
    Done
}

extern "C" fn mfence(_: &mut AtomicU32, _: &mut u32) -> Outcome {
    // SAFETY: every x86_64 has it.
    unsafe { _mm_mfence() };
    Done
}

extern "C" fn lfence(_: &mut AtomicU32, _: &mut u32) -> Outcome {
    // SAFETY: every x86_64 has it.
    unsafe { _mm_lfence() };
    Done
}

extern "C" fn sfence(_: &mut AtomicU32, _: &mut u32) -> Outcome {
    // SAFETY: every x86_64 has it.
    unsafe { _mm_sfence() };
    Done
}

extern "C" fn call(_: &mut AtomicU32, n: &mut u32) -> Outcome {
    *n = called(*n) + 1;
    Done
}

#[inline(never)]
fn called(n: u32) -> u32 {
    black_box(n)
}

extern "C" fn syscall(_: &mut AtomicU32, n: &mut u32) -> Outcome {
    *n = getpid().as_raw().cast_unsigned();
    Done
}

extern "C" fn div(_: &mut AtomicU32, n: &mut u32) -> Outcome {
    *n = black_box(1000) / black_box(*n).max(1);
    Done
}

extern "C" fn cpuid(_: &mut AtomicU32, n: &mut u32) -> Outcome {
    *n = __cpuid(0).eax;
    Done
}

extern "C" fn rep(bytes: &mut [u8; 100], _: &mut u32) -> Outcome {
    // SAFETY: it writes as many bytes as there are.
    unsafe {
        asm!("rep stosb", inout("rcx") bytes.len() => _, inout("rdi") bytes.as_mut_ptr() => _, in("al") 1_u8,
             options(nostack, preserves_flags));
    }
    Done
}
