//! Sound copies between private memory and bytes that a peer may write at any moment.
//!
//! Every access to the shared side is a relaxed atomic of at most the machine's word, so a peer
//! that scribbles meanwhile gives mixed values, never undefined behaviour. A `memcpy` would not do.

use portable_atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};

const WORD: usize = size_of::<usize>();

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

/// Copies `into.len()` shared bytes at `from` out.
///
/// # Safety
///
/// `from` must be valid for reads of `into.len()` bytes, and only accessed atomically meanwhile.
#[inline(always)]
pub unsafe fn read(from: *const u8, into: &mut [u8]) {
    let lead = lead(from, into.len());
    let (head, rest) = into.split_at_mut(lead);
    if !head.is_empty() {
        // SAFETY: `head` is a part of the range.
        unsafe { read_bytes_slow(from, head) };
    }
    let mut at = lead;
    let mut words = rest.chunks_exact_mut(WORD);
    for chunk in &mut words {
        // SAFETY: within the range, and aligned by the lead.
        let word = unsafe { load!(AtomicUsize, usize, from, at) };
        chunk.copy_from_slice(&word.to_ne_bytes());
        at += WORD;
    }
    // What is left is shorter than a word and starts aligned to one: at most one of each size.
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

/// Copies `from` to the shared bytes at `into`.
///
/// # Safety
///
/// `into` must be valid for writes of `from.len()` bytes, and only accessed atomically meanwhile.
#[inline(always)]
pub unsafe fn write(into: *mut u8, from: &[u8]) {
    let lead = lead(into, from.len());
    let (head, rest) = from.split_at(lead);
    if !head.is_empty() {
        // SAFETY: `head` is a part of the range.
        unsafe { write_bytes_slow(into, head) };
    }
    let mut at = lead;
    let (words, mut left) = rest.as_chunks::<WORD>();
    for chunk in words {
        // SAFETY: within the range, and aligned by the lead.
        unsafe { store!(AtomicUsize, into, at, usize::from_ne_bytes(*chunk)) };
        at += WORD;
    }
    // What is left is shorter than a word and starts aligned to one: at most one of each size.
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

/// Copies shared bytes at `from` out by whole words alone, as [`write_words`] writes them: accesses
/// of one size, so that even by the letter of the memory model reader and writer do not race.
///
/// # Safety
///
/// `from` must be aligned to a word and valid for reads of `into.len()` bytes, rounded up to whole
/// words, and only accessed atomically meanwhile.
#[inline(always)]
pub unsafe fn read_words(from: *const u8, into: &mut [u8]) {
    for (i, chunk) in into.chunks_mut(WORD).enumerate() {
        // SAFETY: within the range, and aligned.
        let word = unsafe { load!(AtomicUsize, usize, from, i * WORD) };
        chunk.copy_from_slice(&word.to_ne_bytes()[..chunk.len()]);
    }
}

/// Copies `from` to the shared bytes at `into` by whole words, the last one filled up with zeros.
///
/// # Safety
///
/// `into` must be aligned to a word and valid for writes of `from.len()` bytes, rounded up to whole
/// words, and only accessed atomically meanwhile.
#[inline(always)]
pub unsafe fn write_words(into: *mut u8, from: &[u8]) {
    for (i, chunk) in from.chunks(WORD).enumerate() {
        let mut word = [0; WORD];
        word[..chunk.len()].copy_from_slice(chunk);
        // SAFETY: within the range, and aligned.
        unsafe { store!(AtomicUsize, into, i * WORD, usize::from_ne_bytes(word)) };
    }
}

/// Bytes before the first aligned word, `len` at the most.
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
    #[test]
    fn every_length_and_alignment_copies_exactly_its_bytes() {
        for offset in 0..9 {
            for len in 0..40 {
                let mut shared = [0xAA_u8; 64];
                let source: [u8; 40] = core::array::from_fn(|i| i as u8 + 1);
                // SAFETY: `offset + len < 64`, and nobody else looks.
                unsafe { super::write(shared.as_mut_ptr().wrapping_add(offset), &source[..len]) };
                assert!(shared[..offset].iter().all(|&b| b == 0xAA));
                assert_eq!(shared[offset..offset + len], source[..len]);
                assert!(shared[offset + len..].iter().all(|&b| b == 0xAA));
                let mut back = [0_u8; 40];
                // SAFETY: as above.
                unsafe { super::read(shared.as_ptr().wrapping_add(offset), &mut back[..len]) };
                assert_eq!(back[..len], source[..len]);
            }
        }
    }
}
