//! Sound copies between private memory and bytes that a peer may write at any moment.
//!
//! A `memcpy` is not allowed: a peer that writes at the same time may cause mixed values, but never
//! undefined behaviour. So every access to the shared side is a relaxed atomic of at most the machine's
//! word; or, from [`block::LEAST`] bytes on, on CPUs with one, a block of assembly, about which the
//! compiler can assume nothing.
//!
//! Every access is one that the CPU takes in all memory that a region may be in. On ARM that includes Device
//! memory, as which Linux maps a PCI device's: accesses are aligned there, and never overlap.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};

const WORD: usize = size_of::<usize>();

// The lead aligns to a word, which must do for a block.
const _: () = assert!(WORD.is_multiple_of(block::ALIGN));

// With pointers of 32 bits (x32, ILP32) the upper halves of the registers that the assembly is given are undefined.

#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    target_feature = "sse2",
    not(any(miri, strait_word_copies))
))]
#[path = "copy/x86_64.rs"]
mod block;
#[cfg(all(
    target_arch = "aarch64",
    target_pointer_width = "64",
    target_feature = "neon",
    not(any(miri, strait_word_copies))
))]
#[path = "copy/aarch64.rs"]
mod block;
#[cfg(not(any(
    all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        target_feature = "sse2",
        not(any(miri, strait_word_copies))
    ),
    all(
        target_arch = "aarch64",
        target_pointer_width = "64",
        target_feature = "neon",
        not(any(miri, strait_word_copies))
    ),
)))]
mod block {
    //! No assembly here: words are used for all lengths.

    pub const LEAST: usize = usize::MAX;

    pub const ALIGN: usize = 1;

    /// Never called.
    ///
    /// # Safety
    ///
    /// None needed.
    pub unsafe fn copy_pair(_from: *const u8, _into: *mut u8) {}

    /// Never called.
    ///
    /// # Safety
    ///
    /// None needed.
    pub unsafe fn copy(_from: *const u8, _into: *mut u8, _len: usize) {}
}

/// Length from which `Bytes::write` writes the header's cache line last, because a polling consumer may
/// take that line during the copy. `usize::MAX` on targets without block copies, which have one core.
pub const LONG: usize = if block::LEAST == usize::MAX { usize::MAX } else { 256 };

/// A relaxed load at `base + at`, which must be valid and aligned for it. The pointer is used for a
/// load alone, so a read-only mapping will do.
macro_rules! load {
    ($atomic:ident, $value:ident, $base:expr, $at:expr) => {
        $atomic::from_ptr($base.wrapping_add($at).cast_mut().cast::<$value>()).load(Ordering::Relaxed)
    };
}

/// A relaxed store at `base + at`, which must be valid and aligned for it.
macro_rules! store {
    ($atomic:ident, $base:expr, $at:expr, $value:expr) => {
        $atomic::from_ptr($base.wrapping_add($at).cast()).store($value, Ordering::Relaxed)
    };
}

/// Copies `into.len()` shared bytes at `from` out; with `aligned`, `from` is a multiple of 8.
///
/// # Safety
///
/// `from` must be valid for reads of `into.len()` bytes, aligned if `aligned` is set, and only accessed
/// atomically during the call.
#[inline(always)]
pub unsafe fn read(from: *const u8, into: &mut [u8], aligned: bool) {
    if block::ALIGN == 1 && into.len() >= block::LEAST {
        // SAFETY: both sides are valid for `into.len()` bytes, and as long as a block must be.
        return unsafe { block::copy(from, into.as_mut_ptr(), into.len()) };
    }
    let lead = if aligned { 0 } else { lead(from, into.len()) };
    let (head, rest) = into.split_at_mut(lead);
    if !head.is_empty() {
        // SAFETY: `head` is a part of the range.
        unsafe { read_bytes_slow(from, head) };
    }
    if block::ALIGN > 1 && rest.len() >= block::LEAST {
        // SAFETY: both sides are valid for the rest, which is as long as a block must be, and aligned by the lead.
        return unsafe { block::copy(from.wrapping_add(lead), rest.as_mut_ptr(), rest.len()) };
    }
    let mut at = lead;
    let mut words = rest.chunks_exact_mut(WORD);
    for chunk in &mut words {
        // SAFETY: within the range, and aligned by the lead.
        let word = unsafe { load!(AtomicUsize, usize, from, at) };
        chunk.copy_from_slice(&word.to_ne_bytes());
        at += WORD;
    }
    // The rest is shorter than a word and starts aligned to one: at most one access of each size.
    let mut left = words.into_remainder();
    if WORD > 4 && left.len() >= 4 {
        let (chunk, rest) = left.split_at_mut(4);
        // SAFETY: within the range, aligned to a word.
        chunk.copy_from_slice(&unsafe { load!(AtomicU32, u32, from, at) }.to_ne_bytes());
        (left, at) = (rest, at + 4);
    }
    if left.len() >= 2 {
        let (chunk, rest) = left.split_at_mut(2);
        // SAFETY: within the range, aligned to 4.
        chunk.copy_from_slice(&unsafe { load!(AtomicU16, u16, from, at) }.to_ne_bytes());
        (left, at) = (rest, at + 2);
    }
    if let Some(byte) = left.first_mut() {
        // SAFETY: within the range; a byte is always aligned.
        *byte = unsafe { load!(AtomicU8, u8, from, at) };
    }
}

/// Copies `from` to the shared bytes at `into`; with `aligned`, `into` is a multiple of 8.
///
/// # Safety
///
/// `into` must be valid for writes of `from.len()` bytes, aligned if `aligned` is set, and only accessed
/// atomically during the call.
#[inline(always)]
pub unsafe fn write(into: *mut u8, from: &[u8], aligned: bool) {
    if block::ALIGN == 1 && from.len() >= block::LEAST {
        // SAFETY: both sides are valid for `from.len()` bytes, and as long as a block must be.
        return unsafe { block::copy(from.as_ptr(), into, from.len()) };
    }
    let lead = if aligned { 0 } else { lead(into, from.len()) };
    let (head, rest) = from.split_at(lead);
    if !head.is_empty() {
        // SAFETY: `head` is a part of the range.
        unsafe { write_bytes_slow(into, head) };
    }
    if block::ALIGN > 1 && rest.len() >= block::LEAST {
        // SAFETY: both sides are valid for the rest, which is as long as a block must be, and aligned by the lead.
        return unsafe { block::copy(rest.as_ptr(), into.wrapping_add(lead), rest.len()) };
    }
    let mut at = lead;
    let (words, mut left) = rest.as_chunks::<WORD>();
    for chunk in words {
        // SAFETY: within the range, and aligned by the lead.
        unsafe { store!(AtomicUsize, into, at, usize::from_ne_bytes(*chunk)) };
        at += WORD;
    }
    // The rest is shorter than a word and starts aligned to one: at most one access of each size.
    if WORD > 4
        && let Some((chunk, rest)) = left.split_first_chunk::<4>()
    {
        // SAFETY: within the range, aligned to a word.
        unsafe { store!(AtomicU32, into, at, u32::from_ne_bytes(*chunk)) };
        (left, at) = (rest, at + 4);
    }
    if let Some((chunk, rest)) = left.split_first_chunk::<2>() {
        // SAFETY: within the range, aligned to 4.
        unsafe { store!(AtomicU16, into, at, u16::from_ne_bytes(*chunk)) };
        (left, at) = (rest, at + 2);
    }
    if let Some(byte) = left.first() {
        // SAFETY: within the range; a byte is always aligned.
        unsafe { store!(AtomicU8, into, at, *byte) };
    }
}

/// Copies shared bytes at `from` out, for short lengths known at compile time. Loads 16 bytes at a time,
/// because the compiler re-reads the value in 16-byte pairs, and narrower stores would defeat store
/// forwarding.
///
/// # Safety
///
/// As for [`read`]; `from` must be aligned to 8, and the length be a multiple of it.
#[inline(always)]
pub unsafe fn read_few(from: *const u8, into: &mut [u8]) {
    const PAIR: usize = 16;
    let paired = if block::LEAST <= PAIR { into.len() / PAIR * PAIR } else { 0 };
    let (pairs, rest) = into.split_at_mut(paired);
    let mut at = 0;
    for pair in pairs.chunks_exact_mut(PAIR) {
        // SAFETY: within the range.
        unsafe { block::copy_pair(from.wrapping_add(at), pair.as_mut_ptr()) };
        at += PAIR;
    }
    // SAFETY: what is left of the range, aligned as it was.
    unsafe { read_words(from.wrapping_add(at), rest) };
}

/// Copies shared bytes at `from` out by whole words alone, as [`write_words`] writes them: accesses
/// of one size, so that even by the letter of the memory model reader and writer do not race.
///
/// # Safety
///
/// `from` must be aligned to a word and valid for reads of `into.len()` bytes, rounded up to whole
/// words, and only accessed atomically during the call.
#[inline(always)]
pub unsafe fn read_words(from: *const u8, into: &mut [u8]) {
    let (words, rest) = into.as_chunks_mut::<WORD>();
    let mut at = 0;
    for chunk in words {
        // SAFETY: within the range, and aligned.
        *chunk = unsafe { load!(AtomicUsize, usize, from, at) }.to_ne_bytes();
        at += WORD;
    }
    if !rest.is_empty() {
        // SAFETY: within the range rounded up, and aligned.
        let word = unsafe { load!(AtomicUsize, usize, from, at) }.to_ne_bytes();
        // Byte by byte, so that this short copy does not become a call.
        rest.iter_mut().zip(word).for_each(|(into, byte)| *into = byte);
    }
}

/// Copies `from` to the shared bytes at `into` by whole words, the last one filled up with zeros.
///
/// # Safety
///
/// `into` must be aligned to a word and valid for writes of `from.len()` bytes, rounded up to whole
/// words, and only accessed atomically during the call.
#[inline(always)]
pub unsafe fn write_words(into: *mut u8, from: &[u8]) {
    let (words, rest) = from.as_chunks::<WORD>();
    let mut at = 0;
    for chunk in words {
        // SAFETY: within the range, and aligned.
        unsafe { store!(AtomicUsize, into, at, usize::from_ne_bytes(*chunk)) };
        at += WORD;
    }
    if !rest.is_empty() {
        let mut word = [0; WORD];
        word.iter_mut().zip(rest).for_each(|(into, byte)| *into = *byte);
        // SAFETY: within the range rounded up, and aligned.
        unsafe { store!(AtomicUsize, into, at, usize::from_ne_bytes(word)) };
    }
}

/// Bytes before the first aligned word, at most `len`.
#[inline(always)]
fn lead(place: *const u8, len: usize) -> usize {
    (place.addr().wrapping_neg() % WORD).min(len)
}

/// # Safety
///
/// As [`read`].
#[cold]
unsafe fn read_bytes_slow(from: *const u8, into: &mut [u8]) {
    for (at, byte) in into.iter_mut().enumerate() {
        // SAFETY: within the range; a byte is always aligned.
        *byte = unsafe { load!(AtomicU8, u8, from, at) };
    }
}

/// # Safety
///
/// As [`write`].
#[cold]
unsafe fn write_bytes_slow(into: *mut u8, from: &[u8]) {
    for (at, byte) in from.iter().enumerate() {
        // SAFETY: within the range; a byte is always aligned.
        unsafe { store!(AtomicU8, into, at, *byte) };
    }
}

#[cfg(test)]
mod tests {
    use super::block;

    /// Every length up to where all kinds of copies have met, at every alignment: the bytes are
    /// copied, and none beside them is touched.
    #[test]
    fn every_length_and_alignment_copies_exactly_its_bytes() {
        const MOST: usize = 330;
        let source: [u8; MOST] = core::array::from_fn(|i| (i % 251) as u8 + 1);
        for offset in 0..17 {
            for len in 0..MOST - 16 {
                check(&source, &mut [0xAA; MOST + 32], &mut [0xAA; MOST], offset, len);
            }
        }
    }

    /// Around the lengths at which the kind of copy changes.
    #[test]
    fn long_copies_copy_exactly_their_bytes() {
        const MOST: usize = 9000;
        let source: [u8; MOST] = core::array::from_fn(|i| (i % 251) as u8 + 1);
        for offset in [0, 1, 8, 16, 31] {
            for len in [1000, 1023, 1024, 2047, 4095, 4096, 4097, 8192, 8900] {
                check(&source, &mut [0xAA; MOST + 32], &mut [0xAA; MOST], offset, len);
            }
        }
    }

    fn check(source: &[u8], shared: &mut [u8], back: &mut [u8], offset: usize, len: usize) {
        let aligned = shared.as_ptr().wrapping_add(offset).addr().is_multiple_of(8);
        // SAFETY: `offset + len` is less than the length, and nobody else looks.
        unsafe { super::write(shared.as_mut_ptr().wrapping_add(offset), &source[..len], aligned) };
        assert!(shared[..offset].iter().all(|&b| b == 0xAA), "{offset} {len}");
        assert_eq!(shared[offset..offset + len], source[..len], "{offset} {len}");
        assert!(shared[offset + len..].iter().all(|&b| b == 0xAA), "{offset} {len}");
        // SAFETY: as above.
        unsafe { super::read(shared.as_ptr().wrapping_add(offset), &mut back[..len], aligned) };
        assert_eq!(back[..len], source[..len], "{offset} {len}");
        assert!(back[len..].iter().all(|&b| b == 0xAA), "{offset} {len}");
    }

    #[test]
    fn assembly_is_used_where_it_should_be() {
        let expected = cfg!(all(
            any(target_arch = "x86_64", target_arch = "aarch64"),
            target_pointer_width = "64",
            not(strait_word_copies)
        ));
        assert_eq!(block::LEAST < usize::MAX, expected && !cfg!(miri));
    }
}
