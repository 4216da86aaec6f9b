//! Sound copies between private memory and bytes that a peer may write at any moment.
//!
//! Every access to the shared side is a relaxed atomic of at most the machine's word, so a peer
//! that scribbles meanwhile gives mixed values, never undefined behaviour. A `memcpy` would not do.

use portable_atomic::{AtomicU8, AtomicUsize, Ordering};

const WORD: usize = size_of::<usize>();

/// Copies `into.len()` shared bytes at `from` out.
///
/// # Safety
///
/// `from` must be valid for reads of `into.len()` bytes, and only accessed atomically meanwhile.
#[inline(always)]
pub unsafe fn read(from: *const u8, into: &mut [u8]) {
    let lead = from.align_offset(WORD).min(into.len());
    let (head, rest) = into.split_at_mut(lead);
    let mut at = 0;
    for byte in head {
        // SAFETY: `at < into.len()`.
        *byte = unsafe { load_u8(from, at) };
        at += 1;
    }
    let mut words = rest.chunks_exact_mut(WORD);
    for chunk in &mut words {
        // SAFETY: `at + WORD <= into.len()`, and `from + at` is aligned by the lead.
        let word = unsafe { load_word(from, at) };
        chunk.copy_from_slice(&word.to_ne_bytes());
        at += WORD;
    }
    for byte in words.into_remainder() {
        // SAFETY: `at < into.len()`.
        *byte = unsafe { load_u8(from, at) };
        at += 1;
    }
}

/// Copies `from` to the shared bytes at `into`.
///
/// # Safety
///
/// `into` must be valid for writes of `from.len()` bytes, and only accessed atomically meanwhile.
#[inline(always)]
pub unsafe fn write(into: *mut u8, from: &[u8]) {
    let lead = into.align_offset(WORD).min(from.len());
    let (head, rest) = from.split_at(lead);
    let mut at = 0;
    for byte in head {
        // SAFETY: `at < from.len()`.
        unsafe { store_u8(into, at, *byte) };
        at += 1;
    }
    let mut words = rest.chunks_exact(WORD);
    for chunk in &mut words {
        let mut bytes = [0; WORD];
        bytes.copy_from_slice(chunk);
        // SAFETY: `at + WORD <= from.len()`, and `into + at` is aligned by the lead.
        unsafe { store_word(into, at, usize::from_ne_bytes(bytes)) };
        at += WORD;
    }
    for byte in words.remainder() {
        // SAFETY: `at < from.len()`.
        unsafe { store_u8(into, at, *byte) };
        at += 1;
    }
}

/// # Safety
///
/// `base + at` must be valid for an atomic byte load.
#[inline(always)]
unsafe fn load_u8(base: *const u8, at: usize) -> u8 {
    // SAFETY: within the range promised by the caller.
    let place = unsafe { base.add(at) };
    // SAFETY: valid and shared atomically only; a byte is always aligned. The pointer is used for
    // a load alone, so a read-only mapping will do.
    let cell = unsafe { AtomicU8::from_ptr(place.cast_mut()) };
    cell.load(Ordering::Relaxed)
}

/// # Safety
///
/// `base + at` must be valid for an atomic word load, and aligned.
#[inline(always)]
unsafe fn load_word(base: *const u8, at: usize) -> usize {
    // SAFETY: within the range promised by the caller.
    let place = unsafe { base.add(at) };
    // SAFETY: valid, aligned, shared atomically only, and used for a load alone.
    let cell = unsafe { AtomicUsize::from_ptr(place.cast_mut().cast()) };
    cell.load(Ordering::Relaxed)
}

/// # Safety
///
/// `base + at` must be valid for an atomic byte store.
#[inline(always)]
unsafe fn store_u8(base: *mut u8, at: usize, value: u8) {
    // SAFETY: within the range promised by the caller.
    let place = unsafe { base.add(at) };
    // SAFETY: valid and shared atomically only; a byte is always aligned.
    let cell = unsafe { AtomicU8::from_ptr(place) };
    cell.store(value, Ordering::Relaxed);
}

/// # Safety
///
/// `base + at` must be valid for an atomic word store, and aligned.
#[inline(always)]
unsafe fn store_word(base: *mut u8, at: usize, value: usize) {
    // SAFETY: within the range promised by the caller.
    let place = unsafe { base.add(at) };
    // SAFETY: valid, aligned and shared atomically only.
    let cell = unsafe { AtomicUsize::from_ptr(place.cast()) };
    cell.store(value, Ordering::Relaxed);
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
